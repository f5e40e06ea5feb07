"""Accounts with providers that only check accounts and pay nothing."""

from __future__ import annotations

from alembic import op

from payroll_api.db.tenancy import as_owner

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.drop_constraint(op.f("ck_provider_accounts_kind"), "provider_accounts")
    kinds = "kind in ('bank_account', 'wallet', 'cash', 'check', 'sms')"
    op.create_check_constraint(op.f("ck_provider_accounts_kind"), "provider_accounts", kinds)


def downgrade() -> None:
    """Go back. An account that only checks becomes a disabled one of a bank."""
    change = "update provider_accounts set kind = 'bank_account', is_enabled = false where kind = 'check'"
    for statement in as_owner("provider_accounts", change):
        op.execute(statement)
    op.drop_constraint(op.f("ck_provider_accounts_kind"), "provider_accounts")
    op.create_check_constraint(op.f("ck_provider_accounts_kind"), "provider_accounts", "kind in ('bank_account', 'wallet', 'cash', 'sms')")
