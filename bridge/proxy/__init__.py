"""A proxy whose connections are a board's: SOCKS5 (CONNECT, BIND, UDP ASSOCIATE) and HTTP on one port of this computer.

Names are resolved by the board. What is pure stands apart: `socks5`, `socks5_datagram` and `http_head` turn bytes into
requests and know no input or output.
"""

from bridge.proxy.credentials import Credentials
from bridge.proxy.limits import Limits
from bridge.proxy.server import Proxy
from bridge.proxy.serving import Served
from bridge.proxy.sync_proxy import SyncProxy

__all__ = ["Credentials", "Limits", "Proxy", "Served", "SyncProxy"]
