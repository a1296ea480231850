"""The contract of a port: the one thing through which bytes reach a board.

A port is a host UART seen from above: it moves bytes, sets the baud and drives the modem lines. Real adapters,
`rfc2217://`, `socket://` and `virtual:` differ only in how they are opened (`bridge.ports.open`). Everything above
speaks to this contract, and never catches an error of pyserial or of the operating system: a port turns those into
`PortError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeGuard

from bridge.errors import PortError

#: Called on the event loop with bytes that arrived; never with b"".
Receiver = Callable[[bytes], None]
#: Called once, on the event loop, when the port is lost while open.
LossHandler = Callable[[PortError], None]

#: The baud a stock NodeMCU console starts at (`BIT_RATE_DEFAULT` in app/include/user_config.h).
CONSOLE_BAUD = 115200


@dataclass(frozen=True)
class PortInfo:
    """What is known of a port without opening it.

    Opening a port may reset a NodeMCU, so discovery only reads what the system already knows.
    """

    url: str
    description: str = ""
    usb_vendor: int | None = None
    usb_product: int | None = None
    serial_number: str | None = None
    usb_path: str | None = None


class Port(Protocol):
    """An open port. All methods are called on the event loop the port was opened on."""

    @property
    def url(self) -> str:
        """The URL or path the port was opened by; names the port in messages."""

    @property
    def baud(self) -> int:
        """The speed of the line in baud."""

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        """Say who gets the bytes that arrive. Bytes that arrive while there is no receiver are kept.

        Args:
            receiver: called with each piece of bytes as it arrives, or None to keep them.
            lost: called once if the port goes away.
        """

    def write(self, data: bytes) -> None:
        """Queue bytes for the line; never blocks. One call is one write to the operating system where it can be.

        Raises:
            PortLost: the port went away.
        """

    async def drain(self) -> None:
        """Wait until everything written has left the host (for the adapter; not: has arrived).

        Raises:
            PortLost: the port went away.
            PortError: nothing leaves any more.
        """

    async def set_baud(self, baud: int) -> None:
        """Change the speed after what was written before has left.

        Args:
            baud: bits per second.

        Raises:
            PortError: the adapter refuses this speed.
        """

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Drive the modem lines; True is asserted (electrically low), None leaves a line as it is.

        Raises:
            PortError: this kind of port has no such lines (a pseudo-terminal, `socket://`).
        """

    async def close(self) -> None:
        """Give the port back. Calling it again does nothing."""


def is_port(value: object) -> TypeGuard[Port]:
    """True for what has a port's methods, be it by `__getattr__`, which `isinstance` does not see since Python 3.12."""
    return all(callable(getattr(value, name, None)) for name in ("set_receiver", "write", "drain", "set_baud", "close"))
