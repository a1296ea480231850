"""bridge/ports/served.py: a pseudo-terminal served by RFC 2217, as a keeper does it."""

from __future__ import annotations

import os
import struct
import time

import pytest
from serial import rfc2217

from bridge.ports.served import ServedDevice
from tests.ports.test_serial import Master

IAC, SB, SE, COM = rfc2217.IAC, rfc2217.SB, rfc2217.SE, rfc2217.COM_PORT_OPTION


def command(number: bytes, value: bytes = b"") -> bytes:
    return IAC + SB + COM + number + value + IAC + SE


class Served:
    def __init__(self) -> None:
        self.master = Master()
        self.device = ServedDevice(self.master.path, 115200)
        self.device.begin()

    def send(self, data: bytes) -> None:
        """Feed a client's bytes until they are taken."""
        left = bytearray(data)
        until = time.monotonic() + 10
        while left or self.device.waits:
            assert time.monotonic() < until
            self.device.send(left)

    def read(self) -> bytes:
        """All that has come out of the device."""
        data = b""
        while True:
            try:
                data += os.read(self.master.fd, 100)
            except BlockingIOError:
                return data

    def close(self) -> None:
        self.device.close()
        self.master.close()


@pytest.fixture
def served():  # type: ignore[no-untyped-def]
    made = Served()
    yield made
    made.close()


def test_data_passes_and_the_byte_of_commands_is_doubled(served: Served) -> None:
    served.send(b"abc\xff\xffdef")
    assert served.read() == b"abc\xffdef"
    os.write(served.master.fd, b"x\xffy")
    assert served.device.receive() == b"x\xff\xffy"


def test_settings_are_done_after_what_came_before_and_acknowledged(served: Served) -> None:
    served.device.answers()
    served.send(b"at the old speed" + command(rfc2217.SET_BAUDRATE, struct.pack("!I", 9600)) + b"new")
    assert served.device.answers() == command(rfc2217.SERVER_SET_BAUDRATE, struct.pack("!I", 9600))
    assert served.read() == b"at the old speednew"


def test_a_command_may_come_in_pieces(served: Served) -> None:
    served.device.answers()
    left = bytearray()
    for byte in command(rfc2217.SET_DATASIZE, b"\x08") + b"on":
        left.append(byte)
        served.device.send(left)
    assert served.device.answers() == command(rfc2217.SERVER_SET_DATASIZE, b"\x08")
    served.send(b"")
    assert served.read() == b"on"


def test_lines_that_are_not_there_are_not_acknowledged_and_break_nothing(served: Served) -> None:
    served.device.answers()
    served.send(command(rfc2217.SET_CONTROL, rfc2217.SET_CONTROL_DTR_ON) + b"still here")
    assert rfc2217.SERVER_SET_CONTROL not in served.device.answers()
    assert served.read() == b"still here"


def test_one_that_is_unplugged_is_an_error(served: Served) -> None:
    served.master.close()
    with pytest.raises(OSError):
        served.device.receive()
    assert served.device.is_gone


def test_one_that_cannot_be_opened() -> None:
    with pytest.raises(OSError):
        ServedDevice("/dev/no-such-port", 115200)
