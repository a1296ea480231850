from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import serial

from bridge.errors import PortBusy, PortError
from bridge.virtual import telnet
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.chip import Mode
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import Command, Control, Rfc2217Server, serve_rfc2217

FACTORY = VirtualOptions(modules="node,uart,tmr", cpu=0, adapter_latency_ms=0)
BLANK = VirtualOptions(blank=True, flash_size=1 << 20, cpu=0, adapter_latency_ms=0)


class Client:
    """A bare telnet client: keeps data and everything else apart."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._decoder = telnet.Decoder()
        self.data = b""
        self.said: list[telnet.Event] = []

    async def until(self, done: Callable[[], Any]) -> None:
        """Read until something holds.

        Raises:
            EOFError: the server has closed the connection before.
        """
        async with asyncio.timeout(10):
            while not done():
                piece = await self._reader.read(4096)
                if not piece:
                    raise EOFError
                for event in self._decoder.feed(piece):
                    if isinstance(event, telnet.Data):
                        self.data += event.data
                    else:
                        self.said.append(event)

    async def ask(self, command: int, value: bytes = b"") -> bytes:
        """Send a COM-PORT command; the value of its answer."""
        self.said.clear()
        self.writer.write(telnet.subnegotiate(bytes([telnet.COM_PORT, command]) + value))
        start = bytes([telnet.COM_PORT, command + 100])

        def answers() -> list[bytes]:
            subs = [event.data for event in self.said if isinstance(event, telnet.Subnegotiation)]
            return [sub[2:] for sub in subs if sub.startswith(start)]

        await self.until(answers)
        return answers()[0]

    async def lines(self, *controls: Control, apart: float = 0.0) -> None:
        for control in controls:
            assert await self.ask(Command.SET_CONTROL, bytes([control])) == bytes([control])
            await asyncio.sleep(apart)

    async def prompt(self, line: bytes) -> bytes:
        """Type a line; everything up to the prompt behind it."""
        self.data = b""
        self.writer.write(telnet.escape(line + b"\n"))
        await self.until(lambda: self.data.endswith(b"\n> "))
        return self.data


class Setup:
    def __init__(self, board: VirtualBoard, server: Rfc2217Server) -> None:
        self.board = board
        self.server = server
        self.modes: list[Mode] = []
        self._changed = asyncio.Event()
        board.chip.on_mode = self._mode

    def _mode(self, mode: Mode) -> None:
        self.modes.append(mode)
        self._changed.set()

    async def until(self, mode: Mode) -> None:
        async with asyncio.timeout(10):
            while mode not in self.modes:
                self._changed.clear()
                await self._changed.wait()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(self.server.host, self.server.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()


def play(options: VirtualOptions, steps: Callable[[Setup], Awaitable[None]]) -> None:
    """Run steps against a served board on the wall clock."""

    async def main() -> None:
        async with VirtualBoard(options) as board:
            server = await serve_rfc2217(board)
            try:
                setup = Setup(board, server)
                if options.blank:
                    await setup.until(Mode.STUCK)
                    setup.modes.clear()
                else:
                    await board.answered()
                    setup.modes.clear()
                await steps(setup)
            finally:
                await server.close()
                await server.close()

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning:serial.rfc2217")
def test_pyserial_opens_talks_and_does_not_reset() -> None:
    def talk(url: str) -> list[bytes]:
        with serial.serial_for_url(url, baudrate=115_200, timeout=5) as port:
            port.write(b"=node.bootreason()\n")
            first = port.read_until(b"\n> ")
            port.write(b"uart.write(0,'\\255\\0\\254',255)\n")
            return [first, port.read_until(b"> ").replace(b"uart.write", b"")]

    async def steps(setup: Setup) -> None:
        first, second = await asyncio.to_thread(talk, setup.server.url)
        assert first == b"=node.bootreason()\r\n1\t0\r\n> "
        assert second.endswith(b"\r\n\xff\x00\xfe\xff> ")
        assert setup.modes == []

    play(FACTORY, steps)


def test_bytes_pass_unchanged_both_ways() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            line = bytes(byte for byte in range(1, 256) if byte not in b'\r\n\x08\x7f\\"')
            echoed = await client.prompt(b'x="' + line[:120] + b'"')
            assert line[:120] in echoed
            echoed = await client.prompt(b'y="' + line[120:] + b'"')
            assert line[120:] in echoed
            assert b"\r\n120\t%d\r\n> " % len(line[120:]) in await client.prompt(b"=#x,#y")

    play(FACTORY, steps)


def test_settings_are_acknowledged() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            assert await client.ask(Command.SIGNATURE) == b"nodemcu-bridge virtual board"
            assert await client.ask(Command.SET_BAUDRATE, (74_880).to_bytes(4, "big")) == (74_880).to_bytes(4, "big")
            assert setup.board.host_baud == 74_880
            assert await client.ask(Command.SET_BAUDRATE, bytes(4)) == (74_880).to_bytes(4, "big")
            assert await client.ask(Command.SET_DATASIZE, b"\x08") == b"\x08"
            assert await client.ask(Command.SET_PARITY, b"\x01") == b"\x01"
            assert await client.ask(Command.SET_STOPSIZE, b"\x02") == b"\x02"
            assert await client.ask(Command.SET_STOPSIZE, b"\x00") == b"\x02"
            assert await client.ask(Command.PURGE_DATA, b"\x03") == b"\x03"
            assert await client.ask(Command.SET_MODEMSTATE_MASK, b"\xf0") == b"\xf0"
            assert await client.ask(Command.NOTIFY_MODEMSTATE) == b"\0"
            assert await client.ask(Command.SET_CONTROL, bytes([Control.REQUEST_FLOW])) == bytes([Control.NO_FLOW])
            assert await client.ask(Command.SET_CONTROL, bytes([Control.REQUEST_DTR])) == bytes([Control.DTR_OFF])
            await client.lines(Control.DTR_ON)
            assert await client.ask(Command.SET_CONTROL, bytes([Control.REQUEST_DTR])) == bytes([Control.DTR_ON])
            assert await client.ask(Command.SET_CONTROL, bytes([Control.REQUEST_RTS])) == bytes([Control.RTS_OFF])

    play(BLANK, steps)


def test_what_was_written_leaves_at_the_old_baud() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            # What the board answers meanwhile may be garbled; what it has understood shows at the end.
            client.writer.write(b"x=" + b"7" * 200 + b"\n")
            await client.ask(Command.SET_BAUDRATE, (9600).to_bytes(4, "big"))
            await client.ask(Command.SET_BAUDRATE, (115_200).to_bytes(4, "big"))
            client.writer.write(b"=(x>6 and 'under'..'stood')\n")
            await client.until(lambda: client.data.endswith(b"\r\nunderstood\r\n> "))

    play(FACTORY, steps)


def test_options_are_negotiated_once() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            for verb in (telnet.DO, telnet.WILL):
                for option in (telnet.BINARY, telnet.SUPPRESS_GO_AHEAD, telnet.COM_PORT, telnet.ECHO, 31):
                    client.writer.write(telnet.negotiate(verb, option) * 3)
            client.writer.write(telnet.negotiate(telnet.DONT, telnet.ECHO))
            await client.ask(Command.SIGNATURE)
            # `ask` forgets what was said before it was sent; what matters is that the answers end.
            client.writer.write(telnet.negotiate(telnet.DO, telnet.ECHO))
            await client.until(lambda: telnet.Negotiation(telnet.WILL, telnet.ECHO) in client.said)
            assert telnet.Negotiation(telnet.WONT, 31) in client.said
            assert telnet.Negotiation(telnet.DONT, 31) in client.said
            for option in (telnet.BINARY, telnet.COM_PORT):
                assert client.said.count(telnet.Negotiation(telnet.WILL, option)) == 1
                assert client.said.count(telnet.Negotiation(telnet.DO, option)) == 1
            assert telnet.Subnegotiation(bytes([telnet.COM_PORT, 107, 0])) in client.said

    play(BLANK, steps)


@pytest.mark.parametrize("apart", [0.0, 0.06])
def test_reset_sequence_leads_to_download_mode(apart: float) -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            await client.lines(Control.DTR_ON, Control.RTS_ON, apart=apart)
            assert setup.modes == []
            # As esp_pylib's classic sequence over pyserial: DTR is written again after each change of RTS.
            await client.lines(Control.DTR_OFF, Control.RTS_ON, Control.DTR_OFF, apart=apart)
            await setup.until(Mode.HELD)
            await client.lines(Control.DTR_ON, Control.RTS_OFF, Control.DTR_ON, Control.DTR_OFF, apart=apart)
            await setup.until(Mode.DOWNLOAD)
            setup.modes.clear()
            await client.lines(Control.RTS_ON, Control.DTR_OFF, apart=max(apart, 0.01))
            await client.lines(Control.RTS_OFF)
            await setup.until(Mode.ROM)
            assert Mode.DOWNLOAD not in setup.modes

    play(BLANK, steps)


def test_both_lines_asserted_at_last_end_the_reset() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            await client.lines(Control.RTS_ON)
            await setup.until(Mode.HELD)
            await client.lines(Control.DTR_ON)
            await setup.until(Mode.STUCK)
            assert Mode.DOWNLOAD not in setup.modes

    play(BLANK, steps)


def test_a_client_that_goes_away_lets_go_of_the_lines() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            await client.lines(Control.RTS_ON)
            await setup.until(Mode.HELD)
        await setup.until(Mode.STUCK)

    play(BLANK, steps)


def test_one_client_at_a_time_and_the_next_when_it_is_gone() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as first:
            await first.prompt(b"=1")
            async with setup.client() as second:
                with pytest.raises(EOFError):
                    await second.until(lambda: False)
                assert second.data == b"nodemcu-bridge: this board is in use by another client\r\n"
                assert second.said == []
            assert b"\r\n2\r\n" in await first.prompt(b"=1+1")
        for number in range(3):
            while True:  # the server may still be about to notice that the last one has gone
                async with setup.client() as client:
                    try:
                        assert b"\r\n%d\r\n" % number in await client.prompt(b"=%d" % number)
                        break
                    except (EOFError, ConnectionError):
                        await asyncio.sleep(0)
        assert setup.modes == []

    play(FACTORY, steps)


def test_flow_control_holds_the_board_s_bytes_back() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            client.writer.write(telnet.subnegotiate(bytes([telnet.COM_PORT, Command.FLOWCONTROL_SUSPEND])))
            await client.ask(Command.SIGNATURE)
            client.writer.write(b"=6*7\n")
            await asyncio.sleep(0.2)
            await client.ask(Command.SIGNATURE)
            assert client.data == b""
            client.writer.write(telnet.subnegotiate(bytes([telnet.COM_PORT, Command.FLOWCONTROL_RESUME])))
            await client.until(lambda: client.data == b"=6*7\r\n42\r\n> ")

    play(FACTORY, steps)


def test_a_purge_forgets_what_the_line_has_not_taken() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            await client.ask(Command.SET_BAUDRATE, (300).to_bytes(4, "big"))
            client.writer.write(b"never executed " * 60)
            await client.ask(Command.SIGNATURE)
            assert setup.board.queued > 500
            await client.ask(Command.PURGE_DATA, b"\x02")
            assert setup.board.queued < 100

    play(BLANK, steps)


def test_unplugging_closes_the_connection() -> None:
    async def steps(setup: Setup) -> None:
        async with setup.client() as client:
            await client.ask(Command.SIGNATURE)
            setup.board.unplug()
            with pytest.raises(EOFError):
                await client.until(lambda: False)
        async with setup.client() as client:
            with pytest.raises(EOFError):
                await client.until(lambda: False)
            assert client.data == b"nodemcu-bridge: this board is unplugged\r\n"
        setup.board.plug()
        async with setup.client() as client:
            assert await client.ask(Command.SIGNATURE)

    play(BLANK, steps)


def test_a_port_that_is_taken_or_cannot_be() -> None:
    async def steps(setup: Setup) -> None:
        with pytest.raises(PortBusy, match=f"127.0.0.1:{setup.server.port} is in use"):
            await serve_rfc2217(setup.board, "127.0.0.1", setup.server.port)
        with pytest.raises(PortError, match="cannot be listened on"):
            await serve_rfc2217(setup.board, "192.0.2.1", 0)

    play(BLANK, steps)


def test_closing_the_server_frees_its_port() -> None:
    async def steps(setup: Setup) -> None:
        port = setup.server.port
        async with setup.client() as client:
            await client.ask(Command.SIGNATURE)
            await setup.server.close()
            with pytest.raises((EOFError, ConnectionError)):
                await client.until(lambda: False)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0

    play(BLANK, steps)


def test_a_client_that_does_not_read_cannot_hold_up_the_end() -> None:
    async def main() -> None:
        async with VirtualBoard(BLANK) as board:
            server = await serve_rfc2217(board)
            deaf = socket.create_connection((server.host, server.port))
            with deaf:
                while server._writer is None:  # noqa: ASYNC110  nothing tells it
                    await asyncio.sleep(0)
                transport = server._writer.transport
                while not transport.get_write_buffer_size():
                    board._deliver(bytes(65536))
                async with asyncio.timeout(10):
                    await server.close()
                assert transport.is_closing() and not transport.get_write_buffer_size()

    asyncio.run(main())


def test_a_client_that_hangs_up_while_the_board_prints_leaves_no_words_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def steps(setup: Setup) -> None:
        # Much that the board has to read, and so to echo, when its client is gone already.
        reader, writer = await asyncio.open_connection(setup.server.host, setup.server.port)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(b"--some words\r\n" * 3000)
        await writer.drain()
        writer.transport.abort()
        while True:
            async with setup.client() as client:
                try:
                    await client.prompt(b"=1")
                    break
                except (EOFError, ConnectionError):
                    await asyncio.sleep(0.02)

    play(dataclasses.replace(FACTORY, baud_pacing=False), steps)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
