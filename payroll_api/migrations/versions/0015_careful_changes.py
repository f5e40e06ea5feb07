"""Careful changes of accounts and phones, accounts that two workers may share, confirmed spellings of names, and the bank in the key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payroll_api.db.tenancy import grant, protect
from payroll_api.encryption.column import Encrypted
from payroll_api.people.banks import bank_key

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = ("worker_changes", "change_notices", "shared_accounts", "name_aliases")


def upgrade() -> None:
    """Go forward."""
    op.add_column("factories", sa.Column("cooling_hours", sa.BigInteger(), nullable=False, server_default="24"))
    op.alter_column("factories", "cooling_hours", server_default=None)
    op.create_check_constraint("cooling_hours", "factories", "cooling_hours >= 12")
    _destinations()
    _changes()
    _agreed()
    op.create_table(
        "account_directory",
        sa.Column("account_index", sa.LargeBinary(), nullable=False),
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("account_index", "factory_id", name=op.f("pk_account_directory")),
    )
    op.execute(grant("account_directory", "SELECT, INSERT, DELETE"))
    for table in _TABLES:
        for statement in (*protect(table), grant(table)):
            op.execute(statement)


def _destinations() -> None:
    op.add_column("destinations", sa.Column("bank_key", sa.Text(), nullable=True))
    op.add_column("destinations", sa.Column("account_index", sa.LargeBinary(), nullable=True))
    op.add_column("destinations", sa.Column("is_proposal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("destinations", "is_proposal", server_default=None)
    op.add_column("destinations", sa.Column("changed_on", sa.Date(), nullable=True))
    op.drop_index("uq_destinations_current", table_name="destinations")
    current = sa.text("state <> 'retired' and not is_proposal")
    op.create_index("uq_destinations_current", "destinations", ["factory_id", "worker_id"], unique=True, postgresql_where=current)
    # The owner of the tables is bound by row-level security like everybody: for this one statement it is not.
    connection = op.get_bind()
    op.execute("ALTER TABLE destinations NO FORCE ROW LEVEL SECURITY")
    for (name,) in connection.execute(sa.text("select distinct bank from destinations where bank is not null")).all():
        connection.execute(sa.text("update destinations set bank_key = :key where bank = :name"), {"key": bank_key(name), "name": name})
    op.execute("ALTER TABLE destinations FORCE ROW LEVEL SECURITY")


def _changes() -> None:
    op.create_table(
        "worker_changes",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("worker_id", sa.UUID(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("destination_id", sa.UUID(), nullable=True),
        sa.Column("phone", Encrypted(), nullable=True),
        sa.Column("phone_key", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("makers", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("second_by", sa.Text(), nullable=True),
        sa.Column("second_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("what in ('account', 'phone')", name=op.f("ck_worker_changes_what")),
        sa.CheckConstraint("state in ('proposed', 'adopted', 'refused', 'withdrawn')", name=op.f("ck_worker_changes_state")),
        sa.CheckConstraint("(what = 'account') = (destination_id is not null)", name=op.f("ck_worker_changes_destination")),
        sa.CheckConstraint("(what = 'phone') = (phone is not null)", name=op.f("ck_worker_changes_phone")),
        sa.CheckConstraint(
            "confirmed_by is null or (confirmed_by <> proposed_by and (second_by is null or second_by not in (confirmed_by, proposed_by)))",
            name=op.f("ck_worker_changes_four_eyes"),
        ),
        sa.CheckConstraint("state <> 'adopted' or confirmed_by is not null", name=op.f("ck_worker_changes_confirmed")),
        _worker("worker_changes", "worker_id"),
        sa.ForeignKeyConstraint(
            ["factory_id", "destination_id"],
            ["destinations.factory_id", "destinations.id"],
            name=op.f("fk_worker_changes_factory_id_destination_id"),
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_worker_changes")),
    )
    proposed = sa.text("state = 'proposed'")
    op.create_index(
        "uq_worker_changes_open", "worker_changes", ["factory_id", "worker_id", "what"], unique=True, postgresql_where=proposed
    )
    op.create_index("ix_worker_changes_state", "worker_changes", ["factory_id", "state", "effective_at"], unique=False)
    op.create_table(
        "change_notices",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("change_id", sa.UUID(), nullable=False),
        sa.Column("goes_to", sa.Text(), nullable=False),
        sa.Column("phone", Encrypted(), nullable=True),
        sa.Column("body", Encrypted(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("composed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'sending', 'sent', 'failed', 'unknown', 'no_phone')", name=op.f("ck_change_notices_state")
        ),
        sa.CheckConstraint("goes_to in ('old', 'new')", name=op.f("ck_change_notices_goes_to")),
        sa.ForeignKeyConstraint(
            ["factory_id", "change_id"],
            ["worker_changes.factory_id", "worker_changes.id"],
            name=op.f("fk_change_notices_factory_id_change_id"),
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_change_notices")),
        sa.UniqueConstraint("factory_id", "change_id", "goes_to", name=op.f("uq_change_notices_factory_id_change_id_goes_to")),
    )


def _agreed() -> None:
    op.create_table(
        "shared_accounts",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("worker_a", sa.UUID(), nullable=False),
        sa.Column("worker_b", sa.UUID(), nullable=False),
        sa.Column("account_key", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("worker_a < worker_b", name=op.f("ck_shared_accounts_ordered")),
        sa.CheckConstraint("approved_by is null or approved_by <> proposed_by", name=op.f("ck_shared_accounts_four_eyes")),
        _worker("shared_accounts", "worker_a"),
        _worker("shared_accounts", "worker_b"),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_shared_accounts")),
    )
    op.create_index(
        "uq_shared_accounts_pair",
        "shared_accounts",
        ["factory_id", "worker_a", "worker_b", "account_key"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
    op.create_table(
        "name_aliases",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("worker_id", sa.UUID(), nullable=False),
        sa.Column("alias", Encrypted(), nullable=False),
        sa.Column("alias_key", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        _worker("name_aliases", "worker_id"),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_name_aliases")),
        sa.UniqueConstraint("factory_id", "worker_id", "alias_key", name=op.f("uq_name_aliases_factory_id_worker_id_alias_key")),
    )


def _worker(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["factory_id", column], ["workers.factory_id", "workers.id"], name=op.f(f"fk_{table}_factory_id_{column}")
    )


def downgrade() -> None:
    """There is no way back: accounts that were adopted with care would be taken for those of a file."""
    raise RuntimeError("Careful changes cannot be taken back. Restore the backup that was made before the migration.")
