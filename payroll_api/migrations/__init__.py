"""The database's history, as alembic revisions; run as the owner of the tables, never as the application."""
