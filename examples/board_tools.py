"""The board's own modules without a line of Lua: what it is, its files, its network, a timer and a button.

python examples/board_tools.py [--port URL] [--ticks N]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.modules.tmr import Timer

BUTTON = 3  # D3, GPIO0: the button FLASH of a dev kit, low while it is pressed


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--ticks", type=int, default=3, help="end after so many ticks of the board's timer")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        version = await board.node.info("sw_version")
        print(f"chip {await board.node.chipid():06x}, NodeMCU {version['git_release']}")

        await board.file.putcontents("greeting.txt", b"kept on the board\n" * 1000)
        file = await board.file.open("greeting.txt")
        if file is not None:
            async with file:
                print("a file says:", (await file.readline() or b"").decode().strip())
        print("files:", await board.file.list())
        await board.file.remove("greeting.txt")

        print("address:", (await board.wifi.sta.getip() or ("none",))[0])
        for point in (await board.wifi.sta.getap(1) or {}).values():
            print(f"network {point.ssid} on channel {point.channel}: {point.rssi} dBm")

        await board.gpio.mode(BUTTON, board.gpio.INT, board.gpio.PULLUP)
        await board.gpio.trig(BUTTON, "down", lambda level, when, count: print("the button was pressed"))
        ticks = asyncio.Semaphore(0)

        def tick(timer: Timer) -> None:
            ticks.release()

        timer = await board.tmr.create()
        await timer.alarm(200, board.tmr.ALARM_AUTO, tick)
        for number in range(options.ticks):
            await ticks.acquire()
            print("tick", number + 1, flush=True)
        await timer.release()
        await board.gpio.trig(BUTTON)


asyncio.run(main())
