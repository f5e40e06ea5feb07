"""Banks, wallets and cash: one folder for each provider, all behind one contract."""
