"""Who did what, when: events in exact bytes, sealed into a chain of blocks whose signed heads also lie outside the database."""
