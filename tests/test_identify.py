from __future__ import annotations

import asyncio
import os
import pty

from bridge.errors import NotNodeMCU, PortNotFound
from bridge.identify import Identity, identify, identify_all
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217


def test_a_board_says_what_it_is() -> None:
    one = clock.run(identify("virtual:?clock=virtual"))
    assert one.known and one.trouble is None and one.chip == "ESP8266" and one.flash_kb == 4096
    assert one.mac is not None and one.mac.count(":") == 5
    assert one.facts is not None and one.facts["version"] == "3.0.0"


def test_a_blank_board_is_asked_in_its_rom_only_when_that_is_wanted() -> None:
    async def scenario(rom: bool) -> Identity:
        async with VirtualBoard(VirtualOptions(baud_pacing=False, blank=True, flash_size=1 << 20)) as board:
            server = await serve_rfc2217(board)
            try:
                return await identify(server.url, timeout=20, rom=rom)
            finally:
                await server.close()

    one = asyncio.run(scenario(rom=False))
    assert not one.known and one.trouble is not None and one.mac is None
    one = asyncio.run(scenario(rom=True))
    assert not one.known and one.trouble is not None
    assert (one.chip, one.flash_kb) == ("ESP8266EX", 1024) and one.mac is not None and len(one.mac) == 17


def test_one_bad_port_does_not_spoil_the_others() -> None:
    silent, terminal = pty.openpty()

    async def scenario() -> list[Identity]:
        async with VirtualBoard(VirtualOptions(baud_pacing=False)) as one, VirtualBoard(
            VirtualOptions(baud_pacing=False, lua="5.3", firmware="3.0.0")
        ) as other:  # fmt: skip
            servers = [await serve_rfc2217(one), await serve_rfc2217(other)]
            urls = [servers[0].url, "/dev/nosuchport", os.ttyname(terminal), "socket://127.0.0.1:9", servers[1].url]
            try:
                return await identify_all(urls, timeout=20)
            finally:
                for server in servers:
                    await server.close()

    try:
        first, absent, dumb, nobody, last = asyncio.run(scenario())
    finally:
        os.close(silent)
        os.close(terminal)
    assert first.facts is not None and first.facts["lua"] == "Lua 5.1"
    assert last.facts is not None and last.facts["lua"] == "Lua 5.3"
    assert isinstance(absent.trouble, PortNotFound) and "/dev/nosuchport" in str(absent.trouble)
    assert isinstance(dumb.trouble, NotNodeMCU)
    assert nobody.trouble is not None and "127.0.0.1:9" in str(nobody.trouble)
