"""What looks dead to vulture and is not. Nobody runs this; each group says who uses its names."""

from typing import Any

_: Any = None

# Python: what a package is asked for.
_.__getattr__
# Alembic, of each migration; sqlite3.
_.revision, _.down_revision
_.isolation_level
# Locust.
_.abstract, _.on_start, _.on_stop, _.force, _.process_exit_code
_.ChurningSubscriber, _.LoadProfile, _.MarketSubscriber, _.RestPoller, _.SlowConsumer
_._update_shape_class
_.num_requests, _.num_none_requests, _.last_request_timestamp, _.total_content_length
_.total_response_time
_._gevent_bug_timeout
# click, geventhttpclient, requests, pydantic, yaml.
_.list_commands, _.get_command, _.format_commands
_._on_body
_.requests
_.model_config
_.yaml_implicit_resolvers
# http.server and socketserver.
_.daemon_threads, _.request_queue_size, _.address_family, _.server_port, _.service_actions
_.server_version, _.sys_version, _.timeout, _.disable_nagle_algorithm, _.wbufsize
_.do_GET, _.do_POST, _.close_connection, _.request_version, _.log_message
# The report's template.
_.svg, _.proof, _.do, _.badge, _.chart, _.chart_heading, _.chart_note, _.cards
# The index of published reports.
_.started
# The live page's template.
(
    _.outlook,
    _.upcoming,
    _.target_connections,
    _.of_both_kinds,
    _.forecast_note,
    _.forecast_figure,
    _.caveats,
)
# Objects that are written out as a whole.
_.pinged, _.snapped, _.void_steps, _.push_idle, _.push_per_delivery_per_s, _.poll_per_request_per_s
_.order_type, _.order_state, _.last_update_timestamp
_.too_slow, _.withheld, _.banned, _.accept_failures, _.slipped_s, _.arrival_limit
_.delivered_bytes, _.untimed, _.fingerprint, _.unit_costs
# What tells the master of forked workers from them.
_.parent_pid
# expat.
_.StartElementHandler, _.EntityDeclHandler
# A session of the exchange keeps it for its weight.
_._state
