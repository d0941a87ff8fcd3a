"""The tables of the history, as the latest of the migrations leaves them."""

import sqlalchemy as sa

METADATA = sa.MetaData()
RUNS = sa.Table(
    "runs",
    METADATA,
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
    sa.Column("unit_costs", sa.JSON(none_as_null=True)),
    sa.Column("environment", sa.JSON(none_as_null=True)),
    sa.CheckConstraint("outcome IN ('plan', 'excuse', 'failed')", name="outcome_is_known"),
    sa.Index("runs_by_start", "started_at"),
)
BASELINES = sa.Table(
    "baselines",
    METADATA,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("chosen_at", sa.Double, nullable=False),
)
VERSIONS = sa.Table("history_schema", METADATA, sa.Column("version", sa.Integer, primary_key=True))
"""Of programs before migrations, which refuse what they do not know: 2 ever since."""
