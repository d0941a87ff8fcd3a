"""One row for each scheduled run: what version 0.1 kept."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    versions = op.create_table(
        "history_schema", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False)
    )
    op.bulk_insert(versions, [{"version": 1}])
    op.create_table(
        "runs",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("planned_at", sa.Double),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("capacity_low_connections", sa.Double),
        sa.Column("capacity_mid_connections", sa.Double),
        sa.Column("capacity_high_connections", sa.Double),
        sa.Column("safe_capacity_connections", sa.Integer),
        sa.Column("binding", sa.Text),
        sa.Column("extrapolation_ratio", sa.Double),
        sa.Column("fingerprint", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("unit_costs", sa.JSON),
        sa.CheckConstraint("outcome IN ('plan', 'excuse', 'failed')", name="outcome_is_known"),
    )
