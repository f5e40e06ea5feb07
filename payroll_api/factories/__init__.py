"""The factory itself: its name, its policies, its exchange rates, and the accounts it holds with banks, wallets and gateways."""
