"""People and keys: who may do what, sessions, API keys, and the rule of four eyes."""
