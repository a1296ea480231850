"""A notebook: how long a web server takes to answer a board, and what that costs the board's heap, without `await`.

Each part from `# %%` on is a cell in editors that know them (VS Code, PyCharm, Jupyter by way of jupytext); the board
stays open from one to the next. As a script: python examples/notebook.py [--port URL] URL
"""

# %% the board, and whom to ask
from __future__ import annotations

import argparse
import time
from urllib.parse import urlsplit

import bridge.sync

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--port", default="virtual:", help="the board's port")
parser.add_argument("--times", type=int, default=5, help="how often to ask")
parser.add_argument("url", help="e.g. http://example.com/")
options = parser.parse_args()
site = urlsplit(options.url)

board = bridge.sync.open_board(options.port)
print(board)

# %% the name, asked for by the board
address = board.net.dns.resolve(site.hostname or "")
print(site.hostname, "is", address)


# %% one request: seconds until the first byte, and until the last one
def ask() -> tuple[float, float, int]:
    began = time.monotonic()
    with board.open_connection(site.hostname or "", site.port or 80) as stream:
        stream.write(f"GET {site.path or '/'} HTTP/1.0\r\nHost: {site.hostname}\r\n\r\n".encode(), timeout=10)
        first = stream.read(1, timeout=30)
        seconds = time.monotonic() - began
        rest = stream.read(timeout=30)
    return seconds, time.monotonic() - began, len(first + rest)


# %% some of them, with the heap between
print("first byte  last byte   bytes   heap")
for _ in range(options.times):
    first, last, size = ask()
    print(f"{first:8.2f} s {last:8.2f} s {size:7} {board.lua.node.heap():6}")

# %% the end
board.close()
