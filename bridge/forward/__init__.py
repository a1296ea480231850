"""Forwards connections and datagrams by a board, as ssh does by a server.

async with forward.open_forwards(board, [forward.local("8080:example.com:80")]):
    ...  # http://127.0.0.1:8080 is example.com, as the board sees it
"""

from bridge.forward.opening import Forwards, open_forwards
from bridge.forward.running import Running
from bridge.forward.specification import Forward, Side, local, remote
from bridge.forward.sync_forwards import SyncForwards

__all__ = ["Forward", "Forwards", "Running", "Side", "SyncForwards", "local", "open_forwards", "remote"]
