"""SMS gateways, all behind one contract."""
