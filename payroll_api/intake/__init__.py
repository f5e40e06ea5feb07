"""A payroll file comes in: it is kept as it came, read in the background, and its problems are told cell by cell."""
