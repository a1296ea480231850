from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from bridge.virtual.chip import slip
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.loader import Exit, Op
from bridge.virtual.chip.registers import AddressSpace
from bridge.virtual.chip.stub import StubLoader
from tests.virtual.chip.host import SYNC_DATA, answers, ask, block, frames, request, words

OK = (0, 0)
BLOCK = 0x4000
DATA = hashlib.shake_128(b"data").digest(50_000) + bytes(40_000) + hashlib.shake_128(b"more").digest(10_000)


def stub(flash: FlashMemory | None = None) -> StubLoader:
    flash = flash or FlashMemory(1 << 20)
    loader = StubLoader(flash, AddressSpace(flash, bytes(6)), 115_200, 0.0)
    ((greeting, _),) = frames(loader.take_outputs())
    assert greeting == b"OHAI"
    return loader


def write_compressed(loader: StubLoader, data: bytes, offset: int, now: float = 1.0) -> tuple[int, int]:
    """As esptool does; the status of FLASH_DEFL_END."""
    packed = zlib.compress(data, 9)
    count = -(-len(packed) // BLOCK)
    assert ask(loader, request(Op.FLASH_DEFL_BEGIN, words(len(data), count, BLOCK, offset, 0)), now).status == OK
    for sequence in range(count):
        payload = packed[sequence * BLOCK : (sequence + 1) * BLOCK]
        now = max(now + 1, loader.busy_until)
        assert ask(loader, block(Op.FLASH_DEFL_DATA, payload, sequence), now).status == OK
    return ask(loader, request(Op.FLASH_DEFL_END, words(1)), loader.busy_until + 1).status


def test_sync_answers_zero_eight_times() -> None:
    loader = stub()
    loader.receive(request(Op.SYNC, SYNC_DATA), 1.0)
    found = answers(loader)
    assert [answer.value for answer in found] == [0] * 8 and {answer.status for answer in found} == {OK}


def test_compressed_write_over_used_flash() -> None:
    flash = FlashMemory(1 << 20)
    flash.program(0, bytes(0x30000))
    assert write_compressed(stub(flash), DATA, 0x3000) == OK
    assert flash.read(0x3000, len(DATA)) == DATA
    assert flash.read(0, 0x3000) == bytes(0x3000)
    end = -(-(0x3000 + len(DATA)) // 0x1000) * 0x1000
    assert flash.read(end, 0x30000 - end) == bytes(0x30000 - end)


def test_uncompressed_write_stops_at_the_announced_size() -> None:
    flash = FlashMemory(1 << 20)
    loader = stub(flash)
    ask(loader, request(Op.FLASH_BEGIN, words(20_000, 2, BLOCK, 0x1000, 0)), 1.0)
    data = DATA[:20_000].ljust(2 * BLOCK, b"\0")
    for sequence in range(2):
        payload = data[sequence * BLOCK : (sequence + 1) * BLOCK]
        assert ask(loader, block(Op.FLASH_DATA, payload, sequence), loader.busy_until + 1).status == OK
    assert ask(loader, request(Op.FLASH_END, words(1)), loader.busy_until + 1).status == OK
    assert flash.read(0x1000, 20_000) == DATA[:20_000]
    assert flash.read(0x1000 + 20_000, 100) == b"\xff" * 100


def test_a_block_is_answered_before_it_is_written() -> None:
    loader = stub()
    ask(loader, request(Op.FLASH_BEGIN, words(BLOCK, 1, BLOCK, 0, 0)), 1.0)
    answer = ask(loader, block(Op.FLASH_DATA, DATA[:BLOCK], 0), 2.0)
    assert answer.at - 2.0 < 1e-3
    assert loader.busy_until - 2.0 > 64 * 0.7e-3


def test_a_write_that_failed_is_told_with_the_next_request() -> None:
    loader = stub()
    ask(loader, request(Op.FLASH_DEFL_BEGIN, words(5000, 1, BLOCK, 0, 0)), 1.0)
    assert ask(loader, block(Op.FLASH_DEFL_DATA, b"this is no zlib stream", 0), 2.0).status == OK
    assert ask(loader, request(Op.FLASH_DEFL_END, words(1)), 3.0).status == (0xC7, 0)
    assert ask(loader, request(Op.READ_REG, words(0x40001000)), 4.0).status == OK


def test_an_incomplete_write_is_told_at_the_end() -> None:
    loader = stub()
    ask(loader, request(Op.FLASH_BEGIN, words(2 * BLOCK, 2, BLOCK, 0, 0)), 1.0)
    ask(loader, block(Op.FLASH_DATA, DATA[:BLOCK], 0), 2.0)
    assert ask(loader, request(Op.FLASH_END, words(1)), loader.busy_until + 1).status == (0xC0, 0)


def test_writing_beyond_the_flash_fails() -> None:
    loader = stub()
    size = 1 << 20
    ask(loader, request(Op.FLASH_BEGIN, words(BLOCK, 1, BLOCK, size - 0x1000, 0)), 1.0)
    ask(loader, block(Op.FLASH_DATA, DATA[:BLOCK], 0), 2.0)
    assert ask(loader, request(Op.FLASH_END, words(1)), loader.busy_until + 1).status == (0xC4, 0)


@pytest.mark.parametrize(
    "frame,status",
    [
        (request(Op.READ_REG, b"123"), (0xC0, 0)),
        (request(Op.FLASH_DATA, bytes(8)), (0xC8, 0)),
        (block(Op.FLASH_DATA, b"data", 0), (0xC6, 0)),
        (request(Op.FLASH_END, words(0)), (0xC6, 0)),
        (request(Op.ERASE_REGION, words(1, 0x1000)), (0xC0, 0)),
        (request(Op.ERASE_REGION, words(0x1000, 0x100000)), (0xC4, 0)),
        (request(Op.SPI_FLASH_MD5, words(0, 0x100001, 0, 0)), (0xC4, 0)),
        (request(Op.GET_SECURITY_INFO), (0xFF, 0)),
        (request(0xD5, words(0)), (0xFF, 0)),
        (request(0x77), (0xC3, 0)),
        (slip.encode(struct.pack("<BBHI", 0, Op.SYNC, 100, 0) + b"short"), (0xC0, 0)),
        (slip.encode(struct.pack("<BBHI", 1, Op.SYNC, 0, 0)), (0xC3, 0)),
    ],
)
def test_errors_are_those_of_the_stub(frame: bytes, status: tuple[int, int]) -> None:
    loader = stub()
    assert ask(loader, frame, 1.0).status == status
    assert ask(loader, request(Op.READ_REG, words(0)), 2.0).status == OK


def test_wrong_checksum_can_be_sent_again() -> None:
    flash = FlashMemory(1 << 20)
    loader = stub(flash)
    ask(loader, request(Op.FLASH_BEGIN, words(4, 1, BLOCK, 0, 0)), 1.0)
    assert ask(loader, request(Op.FLASH_DATA, words(4, 0, 0, 0) + b"data", 1), 2.0).status == (0xC1, 0)
    assert ask(loader, block(Op.FLASH_DATA, b"data", 0), 3.0).status == OK
    assert flash.read(0, 4) == b"data"


def test_md5_of_any_region() -> None:
    flash = FlashMemory(1 << 20)
    flash.program(0x1001, DATA)
    answer = ask(stub(flash), request(Op.SPI_FLASH_MD5, words(0x1001, len(DATA), 0, 0)), 1.0)
    assert answer.data == hashlib.md5(DATA).digest() and answer.status == OK


def test_erases() -> None:
    flash = FlashMemory(1 << 20)
    flash.program(0, bytes(0x4000))
    loader = stub(flash)
    answer = ask(loader, request(Op.ERASE_REGION, words(0x1000, 0x2000)), 1.0)
    assert answer.status == OK and answer.at - 1.0 > 0.09
    assert flash.read(0, 0x4000) == bytes(0x1000) + b"\xff" * 0x2000 + bytes(0x1000)
    answer = ask(loader, request(Op.ERASE_FLASH), 2.0)
    assert answer.status == OK and 1.0 < answer.at - 2.0 < 10.0
    assert flash.read(0, 0x4000) == b"\xff" * 0x4000


def test_reading_goes_packet_by_packet() -> None:
    flash = FlashMemory(1 << 20)
    flash.program(0x100, DATA)
    loader = stub(flash)
    loader.receive(request(Op.READ_FLASH, words(0x100, 10_000, 0x1000, 64)), 1.0)
    (answer, first) = frames(loader.take_outputs())
    assert answer[0][-2:] == b"\0\0"
    got = first[0]
    now = 1.0
    while len(got) < 10_000:
        now += 1
        loader.receive(slip.encode(words(len(got))), now)
        ((packet, _),) = frames(loader.take_outputs())
        assert len(packet) == min(0x1000, 10_000 - len(got))
        got += packet
    loader.receive(slip.encode(words(len(got))), now + 1)
    ((digest, _),) = frames(loader.take_outputs())
    assert got == DATA[:10_000] and digest == hashlib.md5(got).digest()
    assert ask(loader, request(Op.READ_REG, words(0x40001000)), now + 2).value == 0xFFF0C101


def test_baud_changes_after_the_answer() -> None:
    loader = stub()
    loader.receive(request(Op.CHANGE_BAUDRATE, words(460_800, 115_200)), 1.0)
    (output,) = loader.take_outputs()
    assert output.baud == 115_200 and loader.baud == 460_800
    loader.receive(request(Op.READ_REG, words(0)), 2.0)
    assert loader.take_outputs()[0].baud == 460_800


def test_user_code_is_started_without_an_answer() -> None:
    loader = stub()
    loader.receive(request(Op.RUN_USER_CODE), 1.0)
    assert loader.take_outputs() == [] and loader.exit is Exit.USER_CODE


def test_memory_goes_on_working() -> None:
    loader = stub()
    assert ask(loader, block(Op.MEM_DATA, b"code", 0), 1.0).status == (0xC6, 0)
    ask(loader, request(Op.MEM_BEGIN, words(4, 1, 0x1800, 0x40100000)), 2.0)
    assert ask(loader, block(Op.MEM_DATA, b"longer", 0), 3.0).status == (0xC9, 0)
    assert ask(loader, block(Op.MEM_DATA, b"code", 0), 4.0).status == OK
    assert ask(loader, request(Op.READ_REG, words(0x40100000)), 5.0).value == int.from_bytes(b"code", "little")
