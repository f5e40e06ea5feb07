"""All tables of the first version, row-level security, the application role, and the job queue's own tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import APP_ROLE, DIRECTORIES, append_only, grant, protect
from payroll_api.encryption.column import Encrypted

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = ("audit_events", "audit_blocks", "ledger_transfers")
OF_FACTORY = (
    "api_keys", "attempts", "audit_blocks", "audit_events", "data_keys", "destinations", "discrepancies", "dispatches", "exchange_rates",
    "factories", "file_entitlements", "file_problems", "file_reviews", "file_rows", "idempotent_requests", "known_layouts",
    "ledger_transfers", "pay_runs", "payments", "payroll_files", "provider_accounts", "provider_messages", "run_items", "sessions",
    "settlement_breaks", "slips", "statement_files", "statement_lines", "users", "workers",
)  # fmt: skip
QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")


def _script(sql: str) -> None:
    """Run several statements at once, which a prepared statement cannot."""
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda inner: inner.execute(sql))


def _role() -> None:
    _script(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN"
        f" CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF; END $$;"
        f" GRANT USAGE ON SCHEMA public TO {APP_ROLE}"
    )


def _rights() -> None:
    statements = []
    for table in OF_FACTORY:
        statements += protect(table)
        statements.append(grant(table, "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"))
    statements += [grant(table, "SELECT, INSERT, DELETE") for table in sorted(DIRECTORIES)]
    statements += append_only(APPEND_ONLY)
    statements += [grant(table) for table in QUEUE]
    # After a bulk load the service refreshes the planner's statistics itself; PostgreSQL grants that since version 17.
    statements.append(
        "DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000 THEN EXECUTE 'GRANT MAINTAIN ON "
        + ", ".join(OF_FACTORY) + f" TO {APP_ROLE}'; END IF; END $$"
    )
    statements.append(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")
    statements.append(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
    _script(";\n".join(statements))


def upgrade() -> None:
    """Go forward."""
    op.create_table('api_keys',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('key_hash', sa.LargeBinary(), nullable=False),
    sa.Column('created_by', sa.UUID(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_api_keys_key_hash'))
    )
    op.create_table('audit_blocks',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('from_xid', sa.BigInteger(), nullable=False),
    sa.Column('to_xid', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('previous', sa.LargeBinary(), nullable=False),
    sa.Column('head', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', 'number', name=op.f('pk_audit_blocks'))
    )
    op.create_table('audit_events',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.BIGINT(), sa.Identity(always=False), nullable=False),
    sa.Column('xid', sa.BigInteger(), server_default=sa.text('(pg_current_xact_id()::text)::bigint'), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('leaf', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_audit_events'))
    )
    op.create_index('ix_audit_events_order', 'audit_events', ['factory_id', 'xid', 'id'], unique=False)
    op.create_index('ix_audit_events_subject', 'audit_events', ['factory_id', 'subject', 'id'], unique=False)
    op.create_table('data_keys',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('master_name', sa.Text(), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.UUID(), nullable=True),
    sa.CheckConstraint("purpose in ('column', 'index')", name=op.f('ck_data_keys_purpose')),
    sa.PrimaryKeyConstraint('factory_id', 'number', name=op.f('pk_data_keys'))
    )
    op.create_table('exchange_rates',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('rate', sa.Numeric(precision=12, scale=4), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('set_by', sa.Text(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("purpose in ('tax', 'nssf')", name=op.f('ck_exchange_rates_purpose')),
    sa.CheckConstraint('rate > 0', name=op.f('ck_exchange_rates_positive')),
    sa.PrimaryKeyConstraint('factory_id', 'period', 'purpose', name=op.f('pk_exchange_rates'))
    )
    op.create_table('factories',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_km', sa.Text(), nullable=False),
    sa.Column('hotline', sa.Text(), nullable=False),
    sa.Column('policies', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', name=op.f('pk_factories'))
    )
    op.create_table('factory_directory',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', name=op.f('pk_factory_directory')),
    sa.UniqueConstraint('slug', name=op.f('uq_factory_directory_slug'))
    )
    op.create_table('idempotent_requests',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.BigInteger(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', 'actor', 'key', name=op.f('pk_idempotent_requests'))
    )
    op.create_table('known_layouts',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('layout', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('confirmed_by', sa.Text(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', 'fingerprint', name=op.f('pk_known_layouts'))
    )
    op.create_table('ledger_transfers',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('run_id', sa.UUID(), nullable=False),
    sa.Column('payment_id', sa.UUID(), nullable=False),
    sa.Column('attempt', sa.BigInteger(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('debit', sa.Text(), nullable=False),
    sa.Column('credit', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_ledger_transfers_positive')),
    sa.CheckConstraint('debit <> credit', name=op.f('ck_ledger_transfers_two_accounts')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_ledger_transfers')),
    sa.UniqueConstraint('factory_id', 'payment_id', 'attempt', 'cause', name='uq_ledger_transfers_once')
    )
    op.create_index('ix_ledger_transfers_run', 'ledger_transfers', ['factory_id', 'run_id'], unique=False)
    op.create_table('login_directory',
    sa.Column('login_index', sa.LargeBinary(), nullable=False),
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('user_id', sa.UUID(), nullable=False),
    sa.PrimaryKeyConstraint('login_index', name=op.f('pk_login_directory'))
    )
    op.create_table('payroll_files',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('content', Encrypted(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('canonical_hash', sa.Text(), nullable=True),
    sa.Column('uploaded_by', sa.Text(), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rows_done', sa.BigInteger(), nullable=False),
    sa.Column('rows_total', sa.BigInteger(), nullable=False),
    sa.Column('layout', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('law_version', sa.Text(), nullable=True),
    sa.Column('review_frozen', sa.Boolean(), nullable=False),
    sa.CheckConstraint("state in ('received', 'reading', 'read', 'reconciled', 'refused')", name=op.f('ck_payroll_files_state')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_payroll_files'))
    )
    op.create_index('uq_payroll_files_content', 'payroll_files', ['factory_id', 'period', 'kind', 'content_hash'], unique=True, postgresql_where=sa.text("state <> 'refused'"))
    op.create_table('provider_accounts',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('connector', sa.Text(), nullable=False),
    sa.Column('config', Encrypted(), nullable=False),
    sa.Column('webhook_key', sa.Text(), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind in ('bank_account', 'wallet', 'cash', 'sms')", name=op.f('ck_provider_accounts_kind')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_provider_accounts')),
    sa.UniqueConstraint('factory_id', 'name', name=op.f('uq_provider_accounts_factory_id_name'))
    )
    op.create_table('users',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('login', Encrypted(), nullable=False),
    sa.Column('display_name', Encrypted(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('roles', postgresql.ARRAY(sa.TEXT()), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_users'))
    )
    op.create_table('webhook_directory',
    sa.Column('key_hash', sa.LargeBinary(), nullable=False),
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('provider_account_id', sa.UUID(), nullable=False),
    sa.PrimaryKeyConstraint('key_hash', name=op.f('pk_webhook_directory'))
    )
    op.create_table('workers',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('worker_code', sa.Text(), nullable=False),
    sa.Column('name', Encrypted(), nullable=False),
    sa.Column('name_latin', Encrypted(), nullable=True),
    sa.Column('phone', Encrypted(), nullable=True),
    sa.Column('national_id', Encrypted(), nullable=True),
    sa.Column('name_key', sa.LargeBinary(), nullable=False),
    sa.Column('phone_key', sa.LargeBinary(), nullable=True),
    sa.Column('national_id_key', sa.LargeBinary(), nullable=True),
    sa.Column('sex', sa.Text(), nullable=True),
    sa.Column('department', sa.Text(), nullable=True),
    sa.Column('joined_on', sa.Date(), nullable=True),
    sa.Column('left_on', sa.Date(), nullable=True),
    sa.Column('in_run_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_workers')),
    sa.UniqueConstraint('factory_id', 'worker_code', name=op.f('uq_workers_factory_id_worker_code'))
    )
    op.create_table('destinations',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('worker_id', sa.UUID(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('bank', sa.Text(), nullable=True),
    sa.Column('account', Encrypted(), nullable=False),
    sa.Column('holder', Encrypted(), nullable=False),
    sa.Column('account_key', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('name_match', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind in ('bank_account', 'wallet', 'cash')", name=op.f('ck_destinations_kind')),
    sa.CheckConstraint("state in ('proposed', 'verified', 'confirmed', 'doubtful', 'refused', 'retired')", name=op.f('ck_destinations_state')),
    sa.ForeignKeyConstraint(['factory_id', 'worker_id'], ['workers.factory_id', 'workers.id'], name=op.f('fk_destinations_factory_id_worker_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_destinations'))
    )
    op.create_index('ix_destinations_account', 'destinations', ['factory_id', 'account_key'], unique=False)
    op.create_index('uq_destinations_current', 'destinations', ['factory_id', 'worker_id'], unique=True, postgresql_where=sa.text("state <> 'retired'"))
    op.create_table('discrepancies',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('worker_id', sa.UUID(), nullable=True),
    sa.Column('worker_code', sa.Text(), nullable=False),
    sa.Column('sheet', sa.Text(), nullable=False),
    sa.Column('row', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('stated_minor', sa.BigInteger(), nullable=True),
    sa.Column('lawful_minor', sa.BigInteger(), nullable=True),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('message_km', sa.Text(), nullable=False),
    sa.Column('resolutions', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('citations', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('resolved_by', sa.Text(), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_discrepancies_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_discrepancies'))
    )
    op.create_index('ix_discrepancies_file', 'discrepancies', ['factory_id', 'file_id', 'position'], unique=False)
    op.create_table('file_entitlements',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('worker_code', sa.Text(), nullable=False),
    sa.Column('worker_id', sa.UUID(), nullable=False),
    sa.Column('destination_id', sa.UUID(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('gross_minor', sa.BigInteger(), nullable=False),
    sa.Column('deductions_minor', sa.BigInteger(), nullable=False),
    sa.Column('net_minor', sa.BigInteger(), nullable=False),
    sa.Column('stated_minor', sa.BigInteger(), nullable=False),
    sa.Column('lines', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_file_entitlements_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'file_id', 'worker_code', name=op.f('pk_file_entitlements'))
    )
    op.create_table('file_problems',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('sheet', sa.Text(), nullable=False),
    sa.Column('cell', sa.Text(), nullable=False),
    sa.Column('meaning', sa.Text(), nullable=True),
    sa.Column('value', Encrypted(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('remedy', sa.Text(), nullable=False),
    sa.Column('remedy_km', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_file_problems_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'file_id', 'position', name=op.f('pk_file_problems'))
    )
    op.create_table('file_reviews',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('law_version', sa.Text(), nullable=False),
    sa.Column('citations', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_file_reviews_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'file_id', name=op.f('pk_file_reviews'))
    )
    op.create_table('file_rows',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('sheet', sa.Text(), nullable=False),
    sa.Column('row', sa.BigInteger(), nullable=False),
    sa.Column('worker_code', sa.Text(), nullable=False),
    sa.Column('net_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('figures', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('person', Encrypted(), nullable=False),
    sa.Column('name_key', sa.LargeBinary(), nullable=True),
    sa.Column('phone_key', sa.LargeBinary(), nullable=True),
    sa.Column('account_key', sa.LargeBinary(), nullable=True),
    sa.Column('national_id_key', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_file_rows_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'file_id', 'position', name=op.f('pk_file_rows'))
    )
    op.create_index('ix_file_rows_worker', 'file_rows', ['factory_id', 'file_id', 'worker_code'], unique=False)
    op.create_table('pay_runs',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('pay_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=True),
    sa.Column('totals', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_by', sa.Text(), nullable=True),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('approved_by', sa.Text(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rejected_by', sa.Text(), nullable=True),
    sa.Column('rejected_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rejected_reason', sa.Text(), nullable=True),
    sa.Column('released_by', sa.Text(), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state in ('draft', 'submitted', 'approved', 'rejected', 'released', 'completed')", name=op.f('ck_pay_runs_state')),
    sa.CheckConstraint("state not in ('approved', 'released', 'completed') or (approved_by is not null and content_hash is not null)", name=op.f('ck_pay_runs_approved')),
    sa.CheckConstraint('approved_by is null or (approved_by <> created_by and approved_by <> submitted_by)', name=op.f('ck_pay_runs_four_eyes')),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_pay_runs_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_pay_runs'))
    )
    op.create_index('uq_pay_runs_file', 'pay_runs', ['factory_id', 'file_id'], unique=True, postgresql_where=sa.text("state <> 'rejected'"))
    op.create_table('provider_messages',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('provider_account_id', sa.UUID(), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('body_hash', sa.LargeBinary(), nullable=False),
    sa.Column('content', Encrypted(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state in ('stored', 'handled', 'quarantined', 'unmatched')", name=op.f('ck_provider_messages_state')),
    sa.ForeignKeyConstraint(['factory_id', 'provider_account_id'], ['provider_accounts.factory_id', 'provider_accounts.id'], name=op.f('fk_provider_messages_factory_id_provider_account_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_provider_messages')),
    sa.UniqueConstraint('factory_id', 'provider_account_id', 'event_id', 'body_hash', name='uq_provider_messages_event')
    )
    op.create_table('sessions',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.UUID(), nullable=False),
    sa.Column('csrf_token', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['factory_id', 'user_id'], ['users.factory_id', 'users.id'], name=op.f('fk_sessions_factory_id_user_id')),
    sa.PrimaryKeyConstraint('factory_id', 'token_hash', name=op.f('pk_sessions'))
    )
    op.create_table('statement_files',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('provider_account_id', sa.UUID(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('content', Encrypted(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('identification', sa.Text(), nullable=False),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('uploaded_by', sa.Text(), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state in ('received', 'matched', 'refused')", name=op.f('ck_statement_files_state')),
    sa.ForeignKeyConstraint(['factory_id', 'provider_account_id'], ['provider_accounts.factory_id', 'provider_accounts.id'], name=op.f('fk_statement_files_factory_id_provider_account_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_statement_files')),
    sa.UniqueConstraint('factory_id', 'provider_account_id', 'content_hash', name=op.f('uq_statement_files_factory_id_provider_account_id_content_hash'))
    )
    op.create_table('dispatches',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('run_id', sa.UUID(), nullable=False),
    sa.Column('provider_account_id', sa.UUID(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('look_up_after', sa.DateTime(timezone=True), nullable=False),
    sa.Column('looked_up', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("state in ('intent', 'answered', 'open', 'closed')", name=op.f('ck_dispatches_state')),
    sa.ForeignKeyConstraint(['factory_id', 'provider_account_id'], ['provider_accounts.factory_id', 'provider_accounts.id'], name=op.f('fk_dispatches_factory_id_provider_account_id')),
    sa.ForeignKeyConstraint(['factory_id', 'run_id'], ['pay_runs.factory_id', 'pay_runs.id'], name=op.f('fk_dispatches_factory_id_run_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_dispatches')),
    sa.UniqueConstraint('reference', name=op.f('uq_dispatches_reference'))
    )
    op.create_index('ix_dispatches_open', 'dispatches', ['factory_id', 'state', 'look_up_after'], unique=False)
    op.create_table('payments',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('run_id', sa.UUID(), nullable=False),
    sa.Column('worker_id', sa.UUID(), nullable=False),
    sa.Column('worker_code', sa.Text(), nullable=False),
    sa.Column('destination_id', sa.UUID(), nullable=False),
    sa.Column('provider_account_id', sa.UUID(), nullable=False),
    sa.Column('account_key', sa.LargeBinary(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('state_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempt', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_on', sa.Date(), nullable=True),
    sa.CheckConstraint("state in ('held', 'ready', 'submitting', 'unknown', 'accepted', 'rejected', 'paid', 'returned', 'cancelled')", name=op.f('ck_payments_state')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_payments_positive')),
    sa.ForeignKeyConstraint(['factory_id', 'destination_id'], ['destinations.factory_id', 'destinations.id'], name=op.f('fk_payments_factory_id_destination_id')),
    sa.ForeignKeyConstraint(['factory_id', 'provider_account_id'], ['provider_accounts.factory_id', 'provider_accounts.id'], name=op.f('fk_payments_factory_id_provider_account_id')),
    sa.ForeignKeyConstraint(['factory_id', 'run_id'], ['pay_runs.factory_id', 'pay_runs.id'], name=op.f('fk_payments_factory_id_run_id')),
    sa.ForeignKeyConstraint(['factory_id', 'worker_id'], ['workers.factory_id', 'workers.id'], name=op.f('fk_payments_factory_id_worker_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_payments'))
    )
    op.create_index('ix_payments_run_state', 'payments', ['factory_id', 'run_id', 'state', 'id'], unique=False)
    op.create_index('ix_payments_state', 'payments', ['factory_id', 'state', 'state_since'], unique=False)
    op.create_index('uq_payments_once', 'payments', ['factory_id', 'worker_id', 'period', 'kind'], unique=True, postgresql_where=sa.text("state <> 'cancelled'"))
    op.create_table('run_items',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('run_id', sa.UUID(), nullable=False),
    sa.Column('worker_id', sa.UUID(), nullable=False),
    sa.Column('worker_code', sa.Text(), nullable=False),
    sa.Column('destination_id', sa.UUID(), nullable=True),
    sa.Column('provider_account_id', sa.UUID(), nullable=True),
    sa.Column('account_key', sa.LargeBinary(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('held_reason', sa.Text(), nullable=True),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_run_items_not_negative')),
    sa.ForeignKeyConstraint(['factory_id', 'destination_id'], ['destinations.factory_id', 'destinations.id'], name=op.f('fk_run_items_factory_id_destination_id')),
    sa.ForeignKeyConstraint(['factory_id', 'provider_account_id'], ['provider_accounts.factory_id', 'provider_accounts.id'], name=op.f('fk_run_items_factory_id_provider_account_id')),
    sa.ForeignKeyConstraint(['factory_id', 'run_id'], ['pay_runs.factory_id', 'pay_runs.id'], name=op.f('fk_run_items_factory_id_run_id')),
    sa.ForeignKeyConstraint(['factory_id', 'worker_id'], ['workers.factory_id', 'workers.id'], name=op.f('fk_run_items_factory_id_worker_id')),
    sa.PrimaryKeyConstraint('factory_id', 'run_id', 'worker_id', name=op.f('pk_run_items')),
    sa.UniqueConstraint('factory_id', 'run_id', 'worker_code', name=op.f('uq_run_items_factory_id_run_id_worker_code'))
    )
    op.create_table('attempts',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('payment_id', sa.UUID(), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('dispatch_id', sa.UUID(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('payload_hash', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('provider_reference', sa.Text(), nullable=True),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state in ('intent', 'accepted', 'paid', 'rejected', 'returned', 'unknown')", name=op.f('ck_attempts_state')),
    sa.ForeignKeyConstraint(['factory_id', 'dispatch_id'], ['dispatches.factory_id', 'dispatches.id'], name=op.f('fk_attempts_factory_id_dispatch_id')),
    sa.ForeignKeyConstraint(['factory_id', 'payment_id'], ['payments.factory_id', 'payments.id'], name=op.f('fk_attempts_factory_id_payment_id')),
    sa.PrimaryKeyConstraint('factory_id', 'payment_id', 'number', name=op.f('pk_attempts')),
    sa.UniqueConstraint('factory_id', 'reference', name=op.f('uq_attempts_factory_id_reference'))
    )
    op.create_index('ix_attempts_dispatch', 'attempts', ['factory_id', 'dispatch_id'], unique=False)
    op.create_index('uq_attempts_open', 'attempts', ['factory_id', 'payment_id'], unique=True, postgresql_where=sa.text("state not in ('rejected', 'returned')"))
    op.create_table('settlement_breaks',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('statement_id', sa.UUID(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=True),
    sa.Column('payment_id', sa.UUID(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('difference_minor', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.Text(), nullable=True),
    sa.Column('closed_reason', sa.Text(), nullable=True),
    sa.CheckConstraint("state in ('open', 'closed')", name=op.f('ck_settlement_breaks_state')),
    sa.ForeignKeyConstraint(['factory_id', 'payment_id'], ['payments.factory_id', 'payments.id'], name=op.f('fk_settlement_breaks_factory_id_payment_id')),
    sa.ForeignKeyConstraint(['factory_id', 'statement_id'], ['statement_files.factory_id', 'statement_files.id'], name=op.f('fk_settlement_breaks_factory_id_statement_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_settlement_breaks'))
    )
    op.create_index('uq_settlement_breaks_open', 'settlement_breaks', ['factory_id', 'payment_id', 'kind'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_table('slips',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('run_id', sa.UUID(), nullable=False),
    sa.Column('payment_id', sa.UUID(), nullable=False),
    sa.Column('worker_id', sa.UUID(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('phone', Encrypted(), nullable=True),
    sa.Column('body', Encrypted(), nullable=False),
    sa.Column('segments', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('gateway_reference', sa.Text(), nullable=True),
    sa.Column('composed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state in ('composed', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'no_phone')", name=op.f('ck_slips_state')),
    sa.ForeignKeyConstraint(['factory_id', 'payment_id'], ['payments.factory_id', 'payments.id'], name=op.f('fk_slips_factory_id_payment_id')),
    sa.ForeignKeyConstraint(['factory_id', 'worker_id'], ['workers.factory_id', 'workers.id'], name=op.f('fk_slips_factory_id_worker_id')),
    sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_slips')),
    sa.UniqueConstraint('factory_id', 'payment_id', name=op.f('uq_slips_factory_id_payment_id')),
    sa.UniqueConstraint('factory_id', 'reference', name=op.f('uq_slips_factory_id_reference'))
    )
    op.create_index('ix_slips_run_state', 'slips', ['factory_id', 'run_id', 'state'], unique=False)
    op.create_table('statement_lines',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('statement_id', sa.UUID(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('line_key', sa.LargeBinary(), nullable=False),
    sa.Column('entry', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('booked_on', sa.Date(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('account_key', sa.LargeBinary(), nullable=True),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('payment_id', sa.UUID(), nullable=True),
    sa.ForeignKeyConstraint(['factory_id', 'payment_id'], ['payments.factory_id', 'payments.id'], name=op.f('fk_statement_lines_factory_id_payment_id')),
    sa.ForeignKeyConstraint(['factory_id', 'statement_id'], ['statement_files.factory_id', 'statement_files.id'], name=op.f('fk_statement_lines_factory_id_statement_id')),
    sa.PrimaryKeyConstraint('factory_id', 'statement_id', 'position', name=op.f('pk_statement_lines')),
    sa.UniqueConstraint('factory_id', 'line_key', name=op.f('uq_statement_lines_factory_id_line_key'))
    )
    op.create_index('uq_statement_lines_payment', 'statement_lines', ['factory_id', 'payment_id'], unique=True, postgresql_where=sa.text("kind = 'matched'"))
    _role()
    _script(QueryBuilderEnvironment().build_install_query())
    _rights()



def downgrade() -> None:
    """There is nothing before the first version."""
    raise RuntimeError("The first version cannot be taken back: drop the database instead, and everything in it.")
