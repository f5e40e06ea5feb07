"""What HR types and answers about a payroll file: control totals, chosen sheets, overlap with earlier files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import APP_ROLE, grant, protect

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column('payroll_files', sa.Column('control', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('payroll_files', sa.Column('chosen_sheets', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_table('file_answers',
    sa.Column('factory_id', sa.UUID(), nullable=False),
    sa.Column('file_id', sa.UUID(), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('answered_by', sa.Text(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['factory_id', 'file_id'], ['payroll_files.factory_id', 'payroll_files.id'], name=op.f('fk_file_answers_factory_id_file_id')),
    sa.PrimaryKeyConstraint('factory_id', 'file_id', 'question', name=op.f('pk_file_answers'))
    )
    op.create_index('ix_payroll_files_period', 'payroll_files', ['factory_id', 'period', 'kind'], unique=False)
    for statement in [*protect('file_answers'), grant('file_answers')]:
        op.execute(statement)


def downgrade() -> None:
    """Go back."""
    op.drop_index('ix_payroll_files_period', table_name='payroll_files')
    op.drop_table('file_answers')
    op.drop_column('payroll_files', 'chosen_sheets')
    op.drop_column('payroll_files', 'control')
