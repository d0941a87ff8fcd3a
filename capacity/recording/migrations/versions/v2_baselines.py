"""Baselines, what a run ran on, and an index for the order in which runs are listed."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.add_column("runs", sa.Column("environment", sa.JSON))
    op.create_index("runs_by_start", "runs", ["started_at"])
    op.create_table(
        "baselines",
        sa.Column("job", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("chosen_at", sa.Double, nullable=False),
    )
    op.execute("UPDATE history_schema SET version = 2")
