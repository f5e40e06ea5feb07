"""What lies outside the database: a journal of everything that was given to a provider, so that an older database cannot pay again."""
