"""Breaks get an owner, a deadline and ways out; lines say whose rail they are; balances, rules and arrivals of statements are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import APP_ROLE, grant, protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NEW = ("statement_balances", "settlement_rules", "statement_arrivals", "statement_folders")


def _of_factory(*references: tuple[str, str], key: tuple[str, ...], table: str) -> list[sa.Constraint]:
    """A table's composite keys: another factory's row can never be pointed at."""
    found: list[sa.Constraint] = [
        sa.ForeignKeyConstraint(["factory_id", column], [f"{other}.factory_id", f"{other}.id"], name=op.f(f"fk_{table}_factory_id_{column}"))
        for column, other in references
    ]
    return [*found, sa.PrimaryKeyConstraint("factory_id", *key, name=op.f(f"pk_{table}"))]


def upgrade() -> None:
    """Go forward."""
    rail = ("provider_account_id", "provider_accounts")
    op.create_table(
        "statement_balances",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("statement_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        *_of_factory(("statement_id", "statement_files"), key=("statement_id", "number"), table="statement_balances"),
    )
    op.create_index("ix_statement_balances_day", "statement_balances", ["factory_id", "provider_account_id", "currency", "closed_on"])
    op.create_table(
        "settlement_rules",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("factory_id", name=op.f("pk_settlement_rules")),
    )
    op.create_table(
        "statement_arrivals",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.UUID(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('waiting', 'taken', 'known', 'refused')", name=op.f("ck_statement_arrivals_state")),
        *_of_factory(rail, key=("provider_account_id", "source"), table="statement_arrivals"),
    )
    op.create_table(
        "statement_folders",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        *_of_factory(rail, key=("provider_account_id",), table="statement_folders"),
    )
    for table in _NEW:
        for statement in (*protect(table), grant(table)):
            op.execute(statement)
    op.execute(
        "DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000 THEN EXECUTE 'GRANT MAINTAIN ON "
        + ", ".join(_NEW)
        + f" TO {APP_ROLE}'; END IF; END $$"
    )
    _lines()
    _breaks()
    _ledger()
    op.create_index(
        "ix_payments_unsettled",
        "payments",
        ["factory_id", "provider_account_id", "currency"],
        postgresql_where=sa.text("settled_on is null"),
    )


def _as_owner(table: str, statement: str) -> None:
    """Change rows of every factory: row-level security is forced on the owner too, except for this statement."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _rail_of_its_statement(table: str) -> None:
    op.add_column(table, sa.Column("provider_account_id", sa.UUID(), nullable=True))
    op.execute("ALTER TABLE statement_files NO FORCE ROW LEVEL SECURITY")
    _as_owner(
        table,
        f"UPDATE {table} t SET provider_account_id = f.provider_account_id FROM statement_files f"
        " WHERE f.factory_id = t.factory_id AND f.id = t.statement_id",
    )
    op.execute("ALTER TABLE statement_files FORCE ROW LEVEL SECURITY")
    op.alter_column(table, "provider_account_id", nullable=False)


def _lines() -> None:
    _rail_of_its_statement("statement_lines")
    op.create_index(
        "ix_statement_lines_payment", "statement_lines", ["factory_id", "payment_id"], postgresql_where=sa.text("payment_id is not null")
    )
    op.create_index("ix_statement_lines_day", "statement_lines", ["factory_id", "provider_account_id", "currency", "booked_on"])


def _breaks() -> None:
    table = "settlement_breaks"
    op.drop_index("uq_settlement_breaks_open", table)
    op.drop_constraint(op.f("ck_settlement_breaks_state"), table, type_="check")
    _rail_of_its_statement(table)
    op.add_column(table, sa.Column("amount_minor", sa.BigInteger(), nullable=True))
    op.add_column(table, sa.Column("due_on", sa.Date(), nullable=True))
    for name in ("owner", "way_out", "proposed_by"):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    op.add_column(table, sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True))
    _as_owner(table, f"UPDATE {table} SET due_on = (opened_at AT TIME ZONE 'Asia/Phnom_Penh')::date, amount_minor = abs(difference_minor)")
    op.alter_column(table, "due_on", nullable=False)
    for name, rule in (
        ("state", "state in ('open', 'proposed', 'closed')"),
        ("proposed", "state <> 'proposed' or (proposed_by is not null and way_out is not null)"),
        ("closed", "state <> 'closed' or (closed_by is not null and closed_reason is not null)"),
        ("two_people", "proposed_by is null or closed_by is null or proposed_by <> closed_by"),
    ):
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    op.create_foreign_key(
        op.f(f"fk_{table}_factory_id_provider_account_id"),
        table,
        "provider_accounts",
        ["factory_id", "provider_account_id"],
        ["factory_id", "id"],
    )
    op.create_index(
        "uq_settlement_breaks_missing",
        table,
        ["factory_id", "payment_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed' and kind = 'missing'"),
    )
    op.create_index("uq_settlement_breaks_line", table, ["factory_id", "statement_id", "position"], unique=True)
    op.create_index("ix_settlement_breaks_state", table, ["factory_id", "state", "due_on", "id"])
    op.create_index(
        "ix_settlement_breaks_payment", table, ["factory_id", "payment_id"], postgresql_where=sa.text("payment_id is not null")
    )


def _ledger() -> None:
    """Transfers that come from a statement's line, and the day for which each counts."""
    table = "ledger_transfers"
    for name in ("run_id", "payment_id", "attempt"):
        op.alter_column(table, name, nullable=True)
    op.add_column(table, sa.Column("booked_on", sa.Date(), nullable=True))
    op.add_column(table, sa.Column("line_key", sa.LargeBinary(), nullable=True))
    op.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
    _as_owner(table, f"UPDATE {table} SET booked_on = (posted_at AT TIME ZONE 'Asia/Phnom_Penh')::date")
    op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
    op.alter_column(table, "booked_on", nullable=False)
    op.create_index(
        "uq_ledger_transfers_line",
        table,
        ["factory_id", "line_key", "cause"],
        unique=True,
        postgresql_where=sa.text("line_key is not null"),
    )
    for name, side in (("from", "credit"), ("to", "debit")):
        op.create_index(
            f"ix_ledger_transfers_{name}_bank",
            table,
            ["factory_id", side, "currency", "booked_on"],
            postgresql_include=["amount_minor"],
            postgresql_where=sa.text(f"{side} like 'bank:%'"),
        )


def downgrade() -> None:
    """Decisions of two people cannot be told by the older version."""
    raise RuntimeError("This version cannot be taken back: restore the backup that was made before it.")
