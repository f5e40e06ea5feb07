"""Bakong: whether an account exists, asked of the National Bank. Nothing is paid through it."""
