"""The bank's own statement against what we believe was paid: matches, and breaks with their reasons."""
