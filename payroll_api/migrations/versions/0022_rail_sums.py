"""What the ledger moved on a rail, by day: kept by the database itself with each posting, so that a balance is not a sum of years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payroll_api.db.tenancy import append_only, grant, protect

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_OTHERS = "('funding', 'fees', 'returns', 'other')"
_SUMS = f"""
insert into rail_sums (factory_id, id, account, other, currency, booked_on, amount_minor, transfers)
select factory_id, gen_random_uuid(), account, other, currency, booked_on, sum(minor), count(*) from (
  select factory_id, debit as account, case when credit in {_OTHERS} then credit else 'wages' end as other, currency, booked_on,
    amount_minor as minor from {{posted}} where debit like 'bank:%'
  union all
  select factory_id, credit, case when debit in {_OTHERS} then debit else 'wages' end, currency, booked_on, -amount_minor
    from {{posted}} where credit like 'bank:%') moved
group by factory_id, account, other, currency, booked_on
"""  # noqa: S608 our own text


def upgrade() -> None:
    """Go forward."""
    op.drop_index("ix_payments_changed", "payments")  # every change of a payment wrote into it, and the one over states serves as well
    op.create_index(
        "ix_ledger_transfers_opening", "ledger_transfers", ["factory_id", "currency"], postgresql_where=sa.text("cause = 'opening'")
    )
    op.drop_index("ix_statement_lines_day", "statement_lines")
    day = ["factory_id", "provider_account_id", "currency", "booked_on"]
    op.create_index("ix_statement_lines_day", "statement_lines", day, postgresql_include=["kind", "direction", "amount_minor", "payment_id"])
    op.create_index("ix_statement_lines_others", "statement_lines", day, postgresql_where=sa.text("kind not in ('matched', 'seen')"))
    _make_sums()


def _make_sums() -> None:
    op.create_table(
        "rail_sums",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_rail_sums")),
    )
    # What there is already, with the owner let through the security of both tables.
    for table in ("rail_sums", "ledger_transfers"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_SUMS.format(posted="ledger_transfers"))
    op.execute("ALTER TABLE ledger_transfers FORCE ROW LEVEL SECURITY")
    op.create_index(
        "ix_rail_sums_day",
        "rail_sums",
        ["factory_id", "account", "currency", "booked_on"],
        postgresql_include=["other", "amount_minor"],
    )
    for statement in (*protect("rail_sums"), grant("rail_sums", "SELECT, INSERT"), *append_only(["rail_sums"])):
        op.execute(statement)
    op.execute(
        f"CREATE FUNCTION keep_rail_sums() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_SUMS.format(posted='posted')}; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_transfers_rail_sums AFTER INSERT ON ledger_transfers REFERENCING NEW TABLE AS posted"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_rail_sums()"
    )


def downgrade() -> None:
    """Go back. The ledger holds all that the sums are made of."""
    op.execute("DROP TRIGGER ledger_transfers_rail_sums ON ledger_transfers")
    op.execute("DROP FUNCTION keep_rail_sums()")
    op.drop_table("rail_sums")
    op.drop_index("ix_statement_lines_others", "statement_lines")
    op.drop_index("ix_statement_lines_day", "statement_lines")
    op.create_index("ix_statement_lines_day", "statement_lines", ["factory_id", "provider_account_id", "currency", "booked_on"])
    op.drop_index("ix_ledger_transfers_opening", "ledger_transfers")
    op.create_index("ix_payments_changed", "payments", ["factory_id", "state_since"])
