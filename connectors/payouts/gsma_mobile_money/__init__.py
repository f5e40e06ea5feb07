"""Wallets that speak the GSMA Mobile Money API 1.1.2: disbursements in bulk or one by one."""
