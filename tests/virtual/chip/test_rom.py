from __future__ import annotations

import pytest

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.loader import Exit, Op
from bridge.virtual.chip.registers import AddressSpace
from bridge.virtual.chip.rom import RomLoader
from tests.virtual.chip.host import SYNC_DATA, answers, ask, block, request, words

OK = (0, 0)


def rom(flash: FlashMemory | None = None, *, synced: bool = True) -> RomLoader:
    flash = flash or FlashMemory(1 << 20)
    loader = RomLoader(flash, AddressSpace(flash, bytes(6)))
    if synced:
        loader.receive_at(request(Op.SYNC, SYNC_DATA), 0.0, 115_200)
        assert len(answers(loader)) == 8
    return loader


def test_sync_takes_any_baud_and_answers_eight_times() -> None:
    loader = rom(synced=False)
    assert loader.measuring
    loader.receive_at(request(Op.SYNC, SYNC_DATA), 1.0, 460_800)
    found = answers(loader)
    assert len(found) == 8
    assert all(answer.value != 0 and answer.status == OK and answer.data == b"" for answer in found)
    assert loader.baud == 460_800
    assert ask(loader, request(Op.READ_REG, words(0x60000014)), 2.0).value == 52_000_000 // 460_800


def test_nothing_is_answered_before_sync() -> None:
    loader = rom(synced=False)
    loader.receive_at(request(Op.READ_REG, words(0x40001000)), 0.0, 115_200)
    loader.receive_at(b"\xff\x00garbage\xc0\xc0", 0.1, 115_200)
    assert answers(loader) == []


def test_registers() -> None:
    loader = rom()
    assert ask(loader, request(Op.READ_REG, words(0x40001000)), 1.0).value == 0xFFF0C101
    quads = words(0x3FFE8000, 0x11111111, 0xFFFFFFFF, 0) + words(0x3FFE8004, 0x22222222, 0xFFFFFFFF, 500)
    assert ask(loader, request(Op.WRITE_REG, quads), 2.0).status == OK
    assert ask(loader, request(Op.READ_REG, words(0x3FFE8004)), 3.0).value == 0x22222222


@pytest.mark.parametrize(
    "op",
    [Op.GET_SECURITY_INFO, Op.SPI_ATTACH, Op.SPI_SET_PARAMS, Op.CHANGE_BAUDRATE, Op.SPI_FLASH_MD5, Op.ERASE_FLASH],
)
def test_what_only_a_stub_does_is_refused(op: Op) -> None:
    answer = ask(rom(), request(op, bytes(24)), 1.0)
    assert answer.op == op and answer.status == (1, 5)


def test_flash_is_written_block_by_block() -> None:
    flash = FlashMemory(1 << 20)
    flash.program(0x5000, bytes(0x2000))
    loader = rom(flash)
    data = bytes(range(256)) * 6
    begun = ask(loader, request(Op.FLASH_BEGIN, words(0x1000, 2, 0x400, 0x5000)), 1.0)
    assert begun.status == OK
    now = begun.at
    for sequence in range(2):
        payload = data[sequence * 0x400 : (sequence + 1) * 0x400].ljust(0x400, b"\xff")
        now = ask(loader, block(Op.FLASH_DATA, payload, sequence), now + 0.01).at
    assert flash.read(0x5000, 0x800) == data.ljust(0x800, b"\xff")


def test_erase_has_the_error_that_esptool_works_around() -> None:
    # get_erase_size(0x5000, 0x3000) is 0x2000: the ROM erases two sectors to the block's border and two more.
    flash = FlashMemory(1 << 20)
    flash.program(0, bytes(0x20000))
    ask(rom(flash), request(Op.FLASH_BEGIN, words(0x2000, 12, 0x400, 0x5000)), 1.0)
    erased = [at for at in range(0, 0x20000, 0x1000) if flash.read(at, 0x1000) == b"\xff" * 0x1000]
    assert erased == [0x5000, 0x6000, 0x7000, 0x8000]


def test_erase_and_program_take_time() -> None:
    loader = rom()
    begun = ask(loader, request(Op.FLASH_BEGIN, words(0x1000, 1, 0x400, 0)), 1.0)
    assert begun.at - 1.0 == pytest.approx(0.090, abs=1e-3)
    written = ask(loader, block(Op.FLASH_DATA, bytes(0x400), 0), 2.0)
    assert written.at - 2.0 == pytest.approx(4 * 0.7e-3, abs=1e-4)


def test_a_request_that_comes_while_busy_waits() -> None:
    loader = rom()
    loader.receive_at(request(Op.FLASH_BEGIN, words(0x1000, 1, 0x400, 0)), 1.0, 115_200)
    loader.receive_at(request(Op.READ_REG, words(0x40001000)), 1.01, 115_200)
    assert [answer.op for answer in answers(loader)] == [Op.FLASH_BEGIN]
    assert loader.deadline == pytest.approx(1.09, abs=1e-3)
    loader.run(loader.deadline)
    assert [answer.op for answer in answers(loader)] == [Op.READ_REG]
    assert loader.deadline is None


def test_wrong_checksum_and_length_are_refused_and_can_be_sent_again() -> None:
    flash = FlashMemory(1 << 20)
    loader = rom(flash)
    ask(loader, request(Op.FLASH_BEGIN, words(0x1000, 1, 0x400, 0)), 1.0)
    payload = b"payload." * 128
    assert ask(loader, request(Op.FLASH_DATA, words(0x400, 0, 0, 0) + payload, 0x55), 2.0).status == (1, 7)
    assert ask(loader, request(Op.FLASH_DATA, words(0x300, 0, 0, 0) + payload, 0xEF), 3.0).status == (1, 5)
    assert flash.read(0, 8) == b"\xff" * 8
    assert ask(loader, block(Op.FLASH_DATA, payload, 0), 4.0).status == OK
    assert flash.read(0, 0x400) == payload


def test_a_repeated_block_is_written_once() -> None:
    flash = FlashMemory(1 << 20)
    loader = rom(flash)
    ask(loader, request(Op.FLASH_BEGIN, words(0x1000, 2, 0x400, 0)), 1.0)
    for now, (payload, sequence) in enumerate([(b"a" * 0x400, 0), (b"a" * 0x400, 0), (b"b" * 0x400, 1)], 2):
        assert ask(loader, block(Op.FLASH_DATA, payload, sequence), float(now)).status == OK
    assert flash.read(0, 0x800) == b"a" * 0x400 + b"b" * 0x400


def test_flash_data_needs_flash_begin() -> None:
    assert ask(rom(), block(Op.FLASH_DATA, bytes(0x400), 0), 1.0).status == (1, 6)


def test_code_with_the_stub_s_greeting_is_a_stub() -> None:
    loader = rom()
    ask(loader, request(Op.MEM_BEGIN, words(8, 1, 0x1800, 0x4010C500)), 1.0)
    assert ask(loader, block(Op.MEM_DATA, b"code" + b"OHAI", 0), 2.0).status == OK
    assert ask(loader, request(Op.MEM_END, words(0, 0x4010C504)), 3.0).status == OK
    assert loader.exit is Exit.STUB


def test_other_code_is_not() -> None:
    loader = rom()
    ask(loader, request(Op.MEM_BEGIN, words(4, 1, 0x1800, 0x40100000)), 1.0)
    ask(loader, block(Op.MEM_DATA, b"code", 0), 2.0)
    assert ask(loader, request(Op.MEM_END, words(1, 0)), 3.0).status == OK
    assert loader.exit is None
    ask(loader, request(Op.MEM_END, words(0, 0x40100000)), 4.0)
    assert loader.exit is Exit.RAM_CODE


def test_memory_that_is_not_there() -> None:
    loader = rom()
    ask(loader, request(Op.MEM_BEGIN, words(4, 1, 0x1800, 0x20000000)), 1.0)
    assert ask(loader, block(Op.MEM_DATA, b"code", 0), 2.0).status == (1, 6)


@pytest.mark.parametrize("word,exit", [(0, Exit.REBOOT), (1, Exit.USER_CODE)])
def test_flash_end_leaves_the_loader(word: int, exit: Exit) -> None:
    loader = rom()
    assert ask(loader, request(Op.FLASH_END, words(word)), 1.0).status == OK
    assert loader.exit is exit
