"""Prosody with XMPP over WebSocket, which becomes this process; a member of its room publishes."""

import os
import tempfile
from pathlib import Path

from beside import free_port, publish_beside, ready_when_open
from venue import arguments

CONFIG = """
run_as_root = true
data_path = "{folder}"; pidfile = "{folder}/pid"; daemonize = false
log = {{ {{ levels = {{ min = "error" }}; to = "console" }} }}
modules_enabled = {{ "disco"; "saslauth"; "presence"; "message"; "iq"; "websocket"; "ping"; "limits" }}
modules_disabled = {{ "s2s"; "tls" }}
authentication = "anonymous"
c2s_ports = {{}}; c2s_direct_tls_ports = {{}}; c2s_require_encryption = false
allow_unencrypted_plain_auth = true
http_ports = {{ {port} }}; http_interfaces = {{ "{host}" }}; https_ports = {{}}
http_paths = {{ websocket = "/ws" }}; http_default_host = "localhost"
consider_websocket_secure = true
VirtualHost "localhost"
Component "conference.localhost" "muc"
    restrict_room_creation = false
    muc_room_locking = false
    muc_room_default_public = true
    muc_room_default_history_length = 0
    muc_room_default_presence_broadcast = {{ visitor = false; participant = false; moderator = false }}
"""

options = arguments()
port = free_port(options.host)
folder = tempfile.mkdtemp(prefix="prosody-")
config = Path(folder, "prosody.cfg.lua")
config.write_text(CONFIG.format(folder=folder, host=options.host, port=port))
publish_beside("xmpp", options.host, port, "updates@conference.localhost", options.rate_per_s)
ready_when_open(options.host, port)
os.execvp("prosody", ["prosody", "-F", "--config", str(config)])
