"""Envelope encryption of personal columns, bound to factory, table, row and column, and blind indexes to find them again."""
