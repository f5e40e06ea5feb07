"""PostgreSQL: the base of all tables, sessions bound to one factory, bulk statements, and the embedded server."""
