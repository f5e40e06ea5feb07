"""The SQL that keeps factories apart and the application small: policies, grants, append-only tables. Used by migrations."""

from __future__ import annotations

from collections.abc import Sequence

APP_ROLE = "payroll_app"

# Tables that say which factory is meant before a factory is known. They hold keyed hashes and ids, nothing personal.
DIRECTORIES = frozenset({"factory_directory", "login_directory", "webhook_directory"})  # those of the first migration
ALL_DIRECTORIES = DIRECTORIES | {"account_directory"}


def protect(table: str, column: str = "factory_id") -> list[str]:
    """Statements that force row-level security on a table: rows of the session's factory only, for reading and writing."""
    mine = f"{column} = nullif(current_setting('app.factory_id', true), '')::uuid"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_of_factory ON {table} USING ({mine}) WITH CHECK ({mine})",
    ]


def as_owner(table: str, statement: str) -> list[str]:
    """A migration's change of rows that are there. Forced row-level security holds for the owner, too: he would see none of them."""
    return [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", statement, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"]


def grant(table: str, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> str:
    """What the application may do with a table. TRUNCATE and REFERENCES are never among it."""
    return f"GRANT {rights} ON {table} TO {APP_ROLE}"


def append_only(tables: Sequence[str]) -> list[str]:
    """Statements that refuse changes to rows once written, whoever tries (the owner by mistake included)."""
    refuse = (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    statements = [refuse]
    for table in tables:
        statements.append(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        statements.append(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    return statements
