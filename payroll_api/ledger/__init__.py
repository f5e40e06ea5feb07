"""Double entry per factory and currency: every transfer takes from one account what it gives to another."""
