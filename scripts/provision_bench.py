"""How long flashing and provisioning take on virtual boards, as ratios measured in one run.

python scripts/provision_bench.py [--only flash,shelf] [--baud 460800] [--boards 8]

flash: `flash` beside plain esptool, for the same image and baud, over RFC 2217 and over a pseudo-terminal; and when the
image is there already. shelf: `provision` of one board and of a shelf of bare ones, line pacing off, and again.
The wall clock of a busy machine measures the machine; run it on one that is idle.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bridge.flash import flash_image
from bridge.image import ImagePart
from bridge.profile import load_profile
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.make_image import stock_image
from bridge.virtual.options import VirtualOptions
from bridge.virtual.pty import Pty
from bridge.virtual.rfc2217 import serve_rfc2217

EXAMPLE = Path(__file__).parent.parent / "examples" / "provision"
MODULES = "file,gpio,net,node,ow,tmr,uart,wifi"
KINDS = ("rfc2217", "pty")


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds that something takes."""
    began = time.monotonic()
    await work()
    return time.monotonic() - began


async def esptool(port: str, baud: int, image: Path, *, lines: bool) -> None:
    """Plain esptool, as a person would run it."""
    mode = [] if lines else ["--before", "no-reset", "--after", "no-reset"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "esptool", "--chip", "esp8266", "--port", port, "--baud", str(baud), *mode,
        "write-flash", "--flash-size", "detect", "0", str(image), stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if await process.wait():
        raise SystemExit(f"esptool failed on {port}")


async def measure_flash(baud: int) -> dict[str, dict[str, float]]:
    """Seconds by kind of port: plain esptool, `flash`, and `flash` of what is there."""
    data = await stock_image(VirtualOptions(modules=MODULES))
    parts = [ImagePart(0, data, "firmware.bin")]
    by_hand = load_profile("virtual")
    by_hand = by_hand.model_copy(update={"reset": by_hand.reset.model_copy(update={"lines": "none"})})
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "firmware.bin"
        image.write_bytes(data)
        for kind in KINDS:
            async with VirtualBoard(VirtualOptions(blank=True)) as board:
                server = await serve_rfc2217(board) if kind == "rfc2217" else None
                pty = Pty(board, None) if server is None else None
                port = server.url if server is not None else str(pty.path if pty is not None else "")
                lines = server is not None

                async def ready(board: VirtualBoard = board, lines: bool = lines, *, blank: bool) -> None:
                    if blank:
                        board.flash.erase(0, board.flash.size)
                    if not lines:  # a hand on FLASH and RESET
                        board.set_lines(dtr=False, rts=True)
                        await asyncio.sleep(0.1)
                        board.set_lines(dtr=True, rts=False)

                async def ours(port: str = port, lines: bool = lines) -> None:
                    await flash_image(port, parts, baud=baud, profile=None if lines else by_hand)

                await ready(blank=True)
                plain = await timed(lambda port=port, lines=lines: esptool(port, baud, image, lines=lines))  # type: ignore[misc]
                await ready(blank=True)
                written = await timed(ours)
                await ready(blank=False)
                there = await timed(ours)
                found[kind] = {"esptool": plain, "flash": written, "flash again": there}
                if server is not None:
                    await server.close()
                if pty is not None:
                    pty.close()
    return found


async def measure_shelf(count: int) -> dict[str, float]:
    """Seconds of the command for one bare board, for a shelf of them, and for the shelf again; kept beside."""
    found = {}
    for boards in (1, count):
        with tempfile.TemporaryDirectory() as folder:
            found |= await _shelf(Path(folder), boards, again=boards == count)
    return found


async def _shelf(folder: Path, count: int, *, again: bool) -> dict[str, float]:
    password = "correct-horse"
    environment = {
        **os.environ, "XDG_STATE_HOME": str(folder), "SHELF_WIFI_PASSWORD": password,
        "NODEMCU_BRIDGE_VIRTUAL_WIFI": f"workshop:{password}",
    }  # fmt: skip
    (folder / "firmware.bin").write_bytes(await stock_image(VirtualOptions(modules=MODULES)))
    for name in ("files", "init.lua"):
        (folder / name).symlink_to(EXAMPLE / name)
    shelf = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.cli", "virtual", "--shelf", str(count), "--rfc2217", "127.0.0.1:0", "--blank",
        "--no-baud-pacing", stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert shelf.stdout is not None
    try:
        urls = [(await shelf.stdout.readline()).decode().split()[1] for _ in range(count)]
        head = (EXAMPLE / "shelf.yaml").read_text().partition("boards:")[0]
        lines = [f'  - {{name: board-{n}, port: "{url}"}}' for n, url in enumerate(urls, 1)]
        (folder / "shelf.yaml").write_text(f"{head}boards:\n" + "\n".join(lines) + "\n")

        async def provision() -> None:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge.cli", "provision", str(folder / "shelf.yaml"), "--json",
                stdout=asyncio.subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            )  # fmt: skip
            out, _ = await process.communicate()
            report = json.loads(out)
            if not report["ready"]:
                raise SystemExit(str([board["error"] for board in report["boards"] if board["error"]]))

        found = {f"{count} boards": await timed(provision)}
        if again:
            found["again"] = await timed(provision)
        return found
    finally:
        shelf.terminate()
        await shelf.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="flash,shelf")
    parser.add_argument("--baud", type=int, default=460_800)
    parser.add_argument("--boards", type=int, default=8)
    arguments = parser.parse_args()
    if "flash" in arguments.only:
        for kind, found in asyncio.run(measure_flash(arguments.baud)).items():
            plain, written, there = found["esptool"], found["flash"], found["flash again"]
            print(f"{kind} at {arguments.baud} baud: esptool {plain:.2f} s, flash {written:.2f} s "
                  f"({written / plain:.2f} of it), when it is there {there:.2f} s (1/{plain / there:.1f})")  # fmt: skip
    if "shelf" in arguments.only:
        found = asyncio.run(measure_shelf(arguments.boards))
        one, shelf = found["1 boards"], found[f"{arguments.boards} boards"]
        print(f"provision: one bare board {one:.1f} s, {arguments.boards} boards {shelf:.1f} s ({shelf / one:.2f} of "
              f"it), again {found['again']:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
