"""The same without asyncio: a plain script that asks a board about itself and lets its LED blink.

python examples/sync_script.py [--port URL]
"""

from __future__ import annotations

import argparse
import time

import bridge.sync

LED = 4  # D4, GPIO2: the LED of the ESP-12 module, lit by a low level

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--port", default="virtual:", help="the board's port")
options = parser.parse_args()

with bridge.sync.open_board(options.port) as board:
    print("Lua", board.facts.lua, "with", ", ".join(board.facts.modules))
    print("free heap:", board.lua.node.heap())
    print("one plus one:", board.eval("1+1"))
    board.lua.gpio.mode(LED, 1)
    for level in (0, 1, 0, 1):
        board.lua.gpio.write(LED, level)
        time.sleep(0.1)
    print("level of the LED's pin:", board.lua.gpio.read(LED))
