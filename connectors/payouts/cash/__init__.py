"""Wages in envelopes: a list to sign."""
