import asyncio
import re

import pytest

from bridge.errors import BootLoop, LinkTimeout, NotNodeMCU, PortLost, ReplError
from bridge.ports.base import LossHandler, Receiver
from bridge.repl import Repl, describe_other
from bridge.virtual import clock
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from tests.virtual_link import virtual_port


class Talker:
    """A port that answers what is written by a function of it."""

    url = "COM9"
    baud = 115200

    def __init__(self, answer: object) -> None:
        self._answer = answer
        self._receiver: Receiver | None = None
        self.written = b""

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        self._receiver = receiver

    def write(self, data: bytes) -> None:
        self.written += data
        said = self._answer(data)  # type: ignore[operator]
        if said and self._receiver is not None:
            asyncio.get_running_loop().call_later(0.01, self._receiver, said)

    def come(self, data: bytes) -> None:
        """Something arrives unasked."""
        if self._receiver is not None:
            self._receiver(data)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda data: b"", "Nothing answers"),
        (lambda data: data + b"\r\nTraceback (most recent call last):\r\nSyntaxError\r\n>>> ", "MicroPython"),
        (lambda data: data + b"\r\nERROR\r\n", "AT command firmware"),
        (lambda data: bytes((b * 37 + 129) % 256 for b in data), "no text"),
        (lambda data: b"login: ", "it says 'login:"),
    ],
    ids=["silence", "MicroPython", "AT", "garbage", "login"],
)
def test_what_else_answers_is_told_apart(answer: object, words: str) -> None:
    async def main() -> None:
        repl = Repl(Talker(answer))  # type: ignore[arg-type]
        with pytest.raises(NotNodeMCU, match=words) as caught:
            await repl.sync(2.0)
        assert str(caught.value).startswith("COM9: ") and caught.value.remedy

    clock.run(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda data: data, "What is sent comes back.* RX and TX"),
        (lambda data: data.replace(b"\r", b"\r\r\nERROR\r\n"), "AT command firmware"),
        (lambda data: data + b"login: ", "it says"),
    ],
    ids=["echo", "echo of a modem", "echo of a login"],
)
def test_an_echo_alone_is_told_as_one(answer: object, words: str) -> None:
    async def main() -> None:
        repl = Repl(Talker(answer), stop=b"stop\xff\r\n")  # type: ignore[arg-type]
        with pytest.raises(NotNodeMCU, match=words):
            await repl.sync(4.0)

    clock.run(main())


BANNER = b"\r\nNodeMCU 3.0.0.0\r\n build 2024 powered by Lua 5.1.4 on SDK 3.0.1\r\n"


def test_a_nodemcu_whose_prompt_does_not_answer_is_not_taken_for_something_else() -> None:
    async def main() -> None:
        first = [BANNER + b"reading sensors\r\n"]
        repl = Repl(Talker(lambda data: first.pop() if first else b""))  # type: ignore[arg-type]
        with pytest.raises(ReplError, match="A NodeMCU starts here.*it says 'reading sensors'.*init.lua") as caught:
            await repl.sync(2.0)
        assert not isinstance(caught.value, NotNodeMCU)

    clock.run(main())


@pytest.mark.parametrize("before", [b"", BANNER], ids=["stranger", "NodeMCU"])
def test_what_is_said_of_one_that_does_not_answer_holds_no_key(before: bytes) -> None:
    """It goes into logs, records and reports; and only its end is said, where the name before the key is gone."""
    joins = b'wifi.sta.config{ssid="home", pwd="QXZJ' + b"v" * 55 + b'"}\r\n'

    async def main() -> None:
        first = [before + joins]
        repl = Repl(Talker(lambda data: first.pop() if first else b""))  # type: ignore[arg-type]
        with pytest.raises(ReplError, match=r"it says '\*{30}") as caught:
            await repl.sync(2.0)
        assert "vvv" not in str(caught.value)

    clock.run(main())


def test_restarts_are_counted_also_where_a_banner_comes_in_pieces() -> None:
    async def main() -> None:
        pieces = [BANNER[:50], BANNER[50:] + b"rst cause:4, boot mode:(3,6)\r\n" + BANNER, BANNER]
        repl = Repl(Talker(lambda data: pieces.pop(0) if pieces else b""))  # type: ignore[arg-type]
        with pytest.raises(BootLoop, match="again and again, 3 times within 2 s") as caught:
            await repl.sync(2.0)
        assert caught.value.cause == "rst cause 4"

    clock.run(main())


def test_what_prints_dots_for_ever_makes_no_file_system_twice() -> None:
    async def main() -> None:
        talker = Talker(lambda data: b"...")
        repl = Repl(talker)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        began = loop.time()
        for seconds in (2.0, 4.0):
            with pytest.raises(NotNodeMCU):
                await repl.sync(seconds)
        assert loop.time() - began < 100.0

    clock.run(main())


def test_a_program_that_waits_for_wifi_with_dots_is_not_waited_for() -> None:
    async def main() -> None:
        talker = Talker(lambda data: b"")
        repl = Repl(talker)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()

        async def dots() -> None:
            while True:
                await asyncio.sleep(0.5)  # as in the examples of Arduino
                talker.come(b".")

        printing = asyncio.ensure_future(dots())
        with pytest.raises(NotNodeMCU, match="it says '[.]{9,}'"):
            await repl.sync()
        printing.cancel()
        assert loop.time() < 15.0

    clock.run(main())


def test_sentences_name_the_speed() -> None:
    assert "9600 baud" in describe_other(b"\xff\xfe\x80\x81", 9600)[0]


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"node.restart(",
        b"x = function()\r\n",
        b"x = {\r\n",
        b"s = [[\r\n",
        b"print('half",
        b"\0\xff\x80",
        b"a" * 700,
    ],
    ids=["empty", "half a line", "function", "table", "long string", "string", "garbage", "too long"],
)
def test_the_prompt_is_found_from_any_state(echo: bool, left: bytes) -> None:
    async def main() -> None:
        async with virtual_port(echo=echo) as port:
            repl = Repl(port)
            await repl.sync()
            repl.write(left)
            await asyncio.sleep(0.3)
            await repl.sync()
            assert await repl.line("=1+1") == b"2"

    clock.run(main())


def test_a_half_typed_line_is_not_run() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            repl.write(b"ran = true")
            await asyncio.sleep(0.1)
            await repl.sync()
            assert await repl.line("=ran") == b"nil"

    clock.run(main())


def test_a_board_that_boots_is_waited_for() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            await repl.line("kept = 1")
            port.board.reset()
            await repl.sync()
            assert await repl.line("=kept") == b"nil"

    clock.run(main())


def test_a_board_that_makes_its_file_system_is_waited_for() -> None:
    async def main() -> None:
        async with virtual_port(flash_size=4 << 20) as port:
            repl = Repl(port)
            await repl.sync()
            repl.write(b"=file.format()\r\n")
            await repl.wait_for(re.compile(rb"\n?\.\."), 5.0)  # too late to hear more than the dots
            await repl.sync(3.0)
            assert await repl.line("=1+1") == b"2"

    clock.run(main())


@pytest.mark.parametrize(
    ("size", "factor"),
    # 45 ms for a sector, as in the data sheet, and the 400 ms that it may take at most.
    [(16 << 20, 1.0), (4 << 20, 400 / 45)],
    ids=["16 MB", "slow flash"],
)
def test_making_a_large_or_slow_file_system_is_waited_for(size: int, factor: float) -> None:
    async def main() -> None:
        async with virtual_port(flash_size=size, flash=factor) as port:
            repl = Repl(port)
            await repl.sync()
            repl.write(b"=file.format()\r\n")
            await repl.wait_for(re.compile(rb"\n?\.\."), 15.0)
            began = asyncio.get_running_loop().time()
            await repl.sync(8.0)
            assert asyncio.get_running_loop().time() - began > 150.0
            assert await repl.line("=1+1") == b"2"

    clock.run(main())


def test_a_board_that_falls_silent_while_it_makes_its_file_system_is_told_as_such() -> None:
    async def main() -> None:
        dots = [b"Formatting file system. Please wait...\r\n", b"..", b"."]
        repl = Repl(Talker(lambda data: dots.pop(0) if dots else b""))  # type: ignore[arg-type]
        with pytest.raises(ReplError, match="makes its file system, and has said nothing for") as caught:
            await repl.sync(2.0)
        assert not isinstance(caught.value, NotNodeMCU) and repl.formats
        assert "5 minutes" in str(caught.value.remedy)

    clock.run(main())


def test_lines_give_what_they_print() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            assert await repl.line("print('a') print('b')") == b"a\r\nb"
            assert await repl.line("x = 5") == b""
            assert (await repl.line("error('boom')")).startswith(b"Lua error: \tstdin:1: boom")
            with pytest.raises(ReplError, match="250 bytes"):
                await repl.line("x" * 251)
            with pytest.raises(LinkTimeout):
                await repl.line("tmr.delay(1000000)", seconds=0.2)

    clock.run(main())


def test_bytes_are_passed_on_as_they_come_and_waiting_ends() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            heard = bytearray()
            repl = Repl(port, on_text=heard.extend)
            await repl.sync()
            assert b"> " in heard
            assert await repl.wait_for(re.compile(b"never"), 0.2) is None
            port.board.unplug()
            with pytest.raises(PortLost):
                await repl.wait_for(re.compile(b"never"), 5.0)
            with pytest.raises(PortLost):
                repl.write(b"x")

    clock.run(main())


def test_frames_that_meet_the_prompt_of_a_board_which_has_just_restarted_are_not_run() -> None:
    hostile = b"\r\nhacked=1\r\n" * 15
    frames = b"".join(Codec(CheckKind.CRC, 7).encode(Frame(Kind.LAST, seq, 0, payload=hostile)) for seq in range(4))

    async def main() -> bytes:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            repl.write(frames)
            await repl.sync()
            return await repl.line("print(hacked)")

    assert clock.run(main()) == b"nil"
