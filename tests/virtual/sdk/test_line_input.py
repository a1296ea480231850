"""Lines and raw data, with the oddities of app/driver/input.c."""

from __future__ import annotations

import asyncio

from bridge.virtual.clock import run
from bridge.virtual.sdk.cpu import BoardCpu
from bridge.virtual.sdk.line_input import LINE_SIZE, LineInput
from bridge.virtual.sdk.uart import Uart


class Typist:
    """A console that keeps its lines, before an input that is fed by hand."""

    prompt = b"> "

    def __init__(self, echo: bool = True) -> None:
        self.lines: list[bytes] = []
        self.crashed = 0
        self.said = bytearray()
        cpu = BoardCpu(asyncio.get_running_loop(), 1.0, lambda: None)
        cpu.begin(0.0)
        self.uart = Uart(cpu, lambda data, start, baud: self.said.extend(data), paced=False)
        self.input = LineInput(self.uart, self, echo=echo)

    def put_line(self, line: bytes) -> None:
        self.lines.append(line)

    def crash(self) -> None:
        self.crashed += 1

    def type(self, data: bytes) -> bytes:
        """Feed bytes; returns what was echoed."""
        self.uart.receive(data)
        for _ in self.input.drain():
            pass
        self.uart.flush()
        said, self.said = bytes(self.said), bytearray()
        return said


def typing(test, **options: bool) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        test(Typist(**options))

    run(main())


def test_lines_are_echoed_and_handed_on_with_their_lf() -> None:
    def test(typist: Typist) -> None:
        assert typist.type(b"print(1)\r") == b"print(1)\r\n"
        assert typist.lines == [b"print(1)\n"]

    typing(test)


def test_cr_and_lf_pair_up_in_either_order_and_over_time() -> None:
    def test(typist: Typist) -> None:
        typist.type(b"a\r\nb\n\rc\n")
        assert typist.lines == [b"a\n", b"b\n", b"c\n"]
        assert typist.type(b"\r") == b""
        assert typist.type(b"\n") == b"\r\n> "

    typing(test)


def test_backspace_and_delete_rub_out() -> None:
    def test(typist: Typist) -> None:
        assert typist.type(b"\x08\x7fab\x08c\n") == b"ab\b \bc\r\n"
        assert typist.lines == [b"ac\n"]

    typing(test)


def test_the_head_of_a_long_line_is_dropped_every_255_bytes() -> None:
    def test(typist: Typist) -> None:
        typist.type(b"x" * 200)
        typist.type(b"y" * 55 + b"tail\n")
        assert typist.lines == [b"tail\n"]
        typist.type(b"z" * 200)
        typist.type(b"z" * (LINE_SIZE - 201) + b"\n")
        assert typist.lines[1] == b"z" * 255 + b"\n"

    typing(test)


def test_without_echo_only_the_prompt_of_an_empty_line_is_sent() -> None:
    def test(typist: Typist) -> None:
        assert typist.type(b"abc\x08\n") == b""
        assert typist.type(b"\n") == b"> "

    typing(test, echo=False)


def test_a_line_handler_sees_lines_without_their_end_and_they_still_run() -> None:
    def test(typist: Typist) -> None:
        seen: list[bytes] = []
        typist.input.set_receiver(seen.append, 4, 0, True)
        typist.type(b"abcdefgh\n\n")
        assert seen == [b"abcdefgh", b""] and typist.lines == [b"abcdefgh\n"]

    typing(test)


def test_raw_modes() -> None:
    def test(typist: Typist) -> None:
        seen: list[bytes] = []
        typist.input.set_receiver(seen.append, 0, 0, False)
        typist.type(b"a\r\n")
        typist.input.set_receiver(seen.append, 3, 0, False)
        typist.type(b"bcdefg")
        typist.input.set_receiver(seen.append, -1, ord(";"), False)
        assert typist.type(b"h;ij") == b""
        assert seen == [b"a", b"\r", b"\n", b"bcd", b"efg", b"h;"] and typist.lines == []

    typing(test)


def test_half_a_line_becomes_the_start_of_raw_data_and_back() -> None:
    def test(typist: Typist) -> None:
        seen: list[bytes] = []
        typist.type(b"abcdef")
        typist.input.set_receiver(seen.append, 3, 0, False)
        typist.type(b"XYZ1")
        assert seen == [b"abcdefX", b"YZ1"]
        typist.type(b"2")
        typist.input.set_receiver(None, 0, 0, True)
        typist.type(b"3\n")
        assert typist.lines == [b"23\n"]

    typing(test)


def test_a_handler_taken_away_while_bytes_wait_is_called_all_the_same() -> None:
    def test(typist: Typist) -> None:
        typist.input.set_receiver(lambda data: typist.input.set_receiver(None, 0, 0, True), 4, 0, False)
        typist.type(b"quit")
        assert typist.crashed == 0
        typist.input.set_receiver(lambda data: typist.input.set_receiver(None, 0, 0, True), 4, 0, False)
        typist.type(b"quit=1\n")
        assert typist.crashed == 3

    typing(test)


def test_what_waits_when_a_raw_handler_switches_to_lines_is_still_raw() -> None:
    def test(typist: Typist) -> None:
        seen: list[bytes] = []

        def switch(data: bytes) -> None:
            typist.input.set_receiver(seen.append, 0, 0, True)

        typist.input.set_receiver(switch, 4, 0, False)
        typist.type(b"next=1\n")
        assert seen == [b"=", b"1", b"\n"] and typist.lines == []
        typist.type(b"=2\n")
        assert seen[3:] == [b"=2"] and typist.lines == [b"=2\n"]

    typing(test)
