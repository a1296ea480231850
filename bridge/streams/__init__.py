"""Sockets of a board as asyncio's own: streams, transports, servers and datagram endpoints.

`Board` has them: `board.open_connection`, `board.start_server`, `board.create_connection`, `board.create_server`,
`board.create_datagram_endpoint`, with the arguments of their namesakes in asyncio.
"""

from bridge.streams.facade import Streams
from bridge.streams.server import BoardServer
from bridge.streams.transport import BoardTransport

__all__ = ["BoardServer", "BoardTransport", "Streams"]
