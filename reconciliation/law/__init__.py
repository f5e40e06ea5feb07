"""The law as dated values with their sources, and the rules that use them, one jurisdiction per folder."""
