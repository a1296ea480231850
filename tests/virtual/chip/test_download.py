from __future__ import annotations

import asyncio

from bridge.virtual import clock
from bridge.virtual.chip import slip
from bridge.virtual.chip.download import Download
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.loader import Exit, Op
from tests.virtual.chip.host import SYNC_DATA, block, request, words

STUB = b"\0\0\0\0OHAI" + bytes(100)


def test_rom_hands_over_to_the_stub_and_requests_wait_their_turn() -> None:
    sent: list[tuple[bytes, float, int]] = []
    exits: list[Exit] = []

    async def main() -> None:
        flash = FlashMemory(1 << 20)
        flash.program(0, bytes(0x10000))
        download = Download(flash, bytes(6), lambda data, at, baud: sent.append((data, at, baud)), exits.append)
        assert download.baud is None
        download.receive(request(Op.SYNC, SYNC_DATA), 115_200)
        download.receive(request(Op.MEM_BEGIN, words(len(STUB), 1, 0x1800, 0x4010C500)), 115_200)
        await asyncio.sleep(0.01)
        download.receive(block(Op.MEM_DATA, STUB, 0), 115_200)
        await asyncio.sleep(0.01)
        sent.clear()
        download.receive(request(Op.MEM_END, words(0, 0x4010C504)), 115_200)
        assert slip.Decoder().feed(sent[0][0])[0][1] == Op.MEM_END
        assert slip.Decoder().feed(sent[1][0]) == [b"OHAI"]
        assert sent[1][1] > sent[0][1]
        await asyncio.sleep(0.01)
        sent.clear()
        # An erase of 1 MB and, right behind it, a read: the read is answered when the erase is done.
        download.receive(request(Op.ERASE_FLASH) + request(Op.READ_REG, words(0x40001000)), 115_200)
        assert len(sent) == 1
        await asyncio.sleep(5)
        assert [slip.Decoder().feed(data)[0][1] for data, _, _ in sent] == [Op.ERASE_FLASH, Op.READ_REG]
        assert sent[1][1] >= sent[0][1] > 2.0
        assert exits == []
        download.receive(request(Op.RUN_USER_CODE), 115_200)
        await asyncio.sleep(0.01)
        assert exits == [Exit.USER_CODE]

    clock.run(main())
