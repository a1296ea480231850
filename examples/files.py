"""Files on the board: a folder is kept the same there, and a file comes back.

python examples/files.py [--port URL] FOLDER
"""

from __future__ import annotations

import argparse
import asyncio

import bridge


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("folder", help="the board gets the files of this folder")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        for attempt in ("first", "again"):
            plan = await board.files.sync(options.folder)
            print(f"{attempt}: sent {', '.join(plan.send) or 'nothing'}, {len(plan.same)} were the same")
        for name, size in (await board.files.ls()).items():
            kind, digest = await board.files.digest(name)
            print(f"{name}: {size} bytes, {kind} {digest.hex()[:16]}…")
        space = await board.files.df()
        print(f"room for a file of {space.largest} bytes")

        written = await board.files.put("greeting.txt", "from the host\n" * 1000)
        print(f"sent {written.size} bytes, compared by {written.digest}")
        print("it says:", (await board.files.get("greeting.txt")).splitlines()[0].decode())
        await board.files.rm("greeting.txt")


asyncio.run(main())
