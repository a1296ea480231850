"""Every error this package raises on purpose, in one tree.

    BridgeError
    ├── UsageError               the caller asked for something that cannot be (exit code 2)
    │   ├── ArgumentRefused      also a ValueError: an argument that no connection can have
    │   └── ProfileError         a board profile or another YAML file is wrong; names file and key
    ├── PortError                a serial port or network port did not do what was asked
    │   ├── PortNotFound
    │   ├── PortBusy
    │   └── PortLost             also a ConnectionError: unplugged, or the network peer went away
    ├── FlashError               esptool or an image refused
    │   ├── ImageError           the image is not for ESP8266, damaged, or lacks what is needed
    │   └── FilesWouldBeLost     the new firmware has its file system elsewhere; nothing was written
    ├── ProtocolError            somebody broke the rules of the wire
    │   ├── LocalProtocolError   this side did
    │   │   └── ValueRefused     also a ValueError: the wire or the board's numbers cannot carry a value exactly
    │   └── RemoteProtocolError  the other side did
    ├── LinkError
    │   ├── LinkTimeout          also a TimeoutError: a deadline passed
    │   └── BoardReset           the board restarted; carries the reset cause
    │       └── BootLoop         it restarts again and again
    ├── ReplError                the Lua prompt did not answer as a stock prompt does
    │   └── NotNodeMCU           something else answers on the port; says what it looks like
    ├── AgentError
    │   ├── LuaError             Lua on the board raised; carries the board's own text
    │   ├── BoardOutOfMemory
    │   ├── AgentMismatch        the agent on the board is of another version
    │   └── FileError            the board's file system did not do what was asked
    │       ├── NoSuchFile       also a FileNotFoundError
    │       └── FileSystemFull   also when the file would not fit: then nothing of it was sent
    ├── NetError                 what the board's network stack reports; carries NodeMCU's code
    │   ├── DNSFailed            also a socket.gaierror
    │   ├── ConnectRefused       also a ConnectionRefusedError
    │   ├── ListenRefused        also an OSError: the port is taken, or the address is not the board's
    │   ├── NetTimeout           also a TimeoutError: no connection, or no word of the peer, in time
    │   ├── ConnectionLost       also a ConnectionError
    │   │   ├── ConnectionReset  also a ConnectionResetError: by the peer, or with the board
    │   │   └── ConnectionAborted  also a ConnectionAbortedError: given up by the board
    │   ├── WifiRefused          a network does not take the password
    │   └── WifiAbsent           a network is not in the air
    ├── RackError                a rack could not give or keep a board
    │   ├── NoPlace              also a UsageError: no place of the rack can ever be what was asked for
    │   ├── PlaceBusy            also a TimeoutError: others hold what was asked for, until the deadline; says who
    │   ├── PlaceFailed          what a place has does not work: its power control, its records, its board
    │   ├── WrongBoard           another board, or other firmware, is at a place than its rack file says
    │   └── LeaseLost            also a PortLost: the lease is over, and nothing that is written arrives
    └── HandleError
        ├── HandleClosed
        └── StaleHandle          the handle belongs to an earlier boot of the board

Each message is a sentence that says what happened, to which board or port, and what to do about it. The same
facts are attributes (`port`, `remedy`, …), so that callers never have to read the text.
"""

from __future__ import annotations

import errno
import socket


class BridgeError(Exception):
    """Root of the tree.

    Args:
        message: one sentence that says what happened.
        port: URL or path of the port concerned, if there is one.
        remedy: one sentence that says what to do, if something can be done.
    """

    exit_code = 1

    def __init__(self, message: str, *, port: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.port = port
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.port.removesuffix(':')}: " if self.port and self.port not in self.message else ""
        what = self.message if self.message.endswith((".", "!", "?")) else self.message + "."
        return f"{where}{what} {self.remedy}" if self.remedy else f"{where}{what}"


class UsageError(BridgeError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class ArgumentRefused(UsageError, ValueError):
    """A port, an address or an option that no connection of the board can have."""


class ProfileError(UsageError):
    """A board profile or another YAML file is wrong."""


class PortError(BridgeError):
    """A port did not do what was asked."""


class PortNotFound(PortError):
    """There is no such port."""


class PortBusy(PortError):
    """Another program holds the port."""


class PortLost(PortError, ConnectionError):
    """The port went away while it was open."""


class FlashError(BridgeError):
    """Flashing failed; carries esptool's last words in the message."""


class ImageError(FlashError):
    """An image is not for ESP8266, is damaged, or lacks what is needed."""

    exit_code = 2


class FilesWouldBeLost(FlashError):
    """The new firmware has its file system elsewhere, so that the board's files would go; nothing was written."""

    exit_code = 2


class ProtocolError(BridgeError):
    """Somebody broke the rules of the wire."""


class LocalProtocolError(ProtocolError):
    """This side asked the session for something its state does not allow."""


class ValueRefused(LocalProtocolError, ValueError):
    """A value cannot be carried to the board exactly; nothing of its call was sent."""

    exit_code = 2


class RemoteProtocolError(ProtocolError):
    """The other side sent what its state does not allow."""


class LinkError(BridgeError):
    """The link could not do its work."""


class LinkTimeout(LinkError, TimeoutError):
    """A deadline passed before the board answered."""


class BoardReset(LinkError):
    """The board restarted; everything that lived on it is gone.

    Args:
        message: one sentence.
        cause: what the board says of the reset (`node.bootreason`, boot text), or None if it did not say.
        port: URL of the port.
    """

    def __init__(
        self, message: str = "The board restarted", *, cause: str | None = None, port: str | None = None
    ) -> None:
        super().__init__(
            f"{message} ({cause})" if cause else message,
            port=port,
            remedy="Sockets, timers and Lua variables of the earlier boot are gone: make them again.",
        )
        self.cause = cause


class BootLoop(BoardReset):
    """The board restarts again and again, so that nothing can be done with it. Takes what `BoardReset` takes."""

    def __init__(
        self,
        message: str = "The board restarts again and again",
        *,
        cause: str | None = None,
        port: str | None = None,
    ) -> None:
        super().__init__(message, cause=cause, port=port)
        self.remedy = "Look at its power supply, and at what its init.lua does."


class ReplError(BridgeError):
    """The Lua prompt did not answer as a stock prompt does."""


class NotNodeMCU(ReplError):
    """Something else answers on the port, or nothing does."""


class AgentError(BridgeError):
    """The agent on the board reported a failure."""


class LuaError(AgentError):
    """Lua on the board raised an error.

    Args:
        text: the board's own text, unchanged.
        port: URL of the port.
        traceback: the board's stack traceback, or None.
        remedy: what to do, where the board's text does not tell.
    """

    def __init__(
        self, text: str, *, port: str | None = None, traceback: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(text, port=port, remedy=remedy)
        self.text = text
        self.traceback = traceback

    def __str__(self) -> str:
        text = f"{self.text}. {self.remedy}" if self.remedy else self.text
        return f"{self.port.removesuffix(':')}: {text}" if self.port else text


class BoardOutOfMemory(AgentError):
    """The board's heap did not hold what was asked for."""


class AgentMismatch(AgentError):
    """The agent on the board is of another version than this package."""


class FileError(AgentError):
    """The board's file system did not do what was asked."""


class NoSuchFile(FileError, FileNotFoundError):
    """The board has no file of that name."""


class FileSystemFull(FileError):
    """The board's file system has no room; known before anything is sent, where that can be told."""


class NetError(BridgeError):
    """What the board's network stack reports.

    Args:
        message: one sentence.
        code: NodeMCU's number (lwIP 1.4 `err.h`: -8 aborted, -9 reset, …), or None.

    Attributes:
        number: the system's number (`errno`, of names `socket.EAI_…`) where the error also is one of Python's.
    """

    number: int | None = None

    def __init__(
        self, message: str, *, code: int | None = None, port: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, port=port, remedy=remedy)
        self.code = code
        itself: Exception = self
        if isinstance(itself, OSError):
            itself.errno, itself.strerror = self.number, message


class DNSFailed(NetError, socket.gaierror):
    """A name could not be resolved by the board."""

    number = socket.EAI_NONAME


class ConnectRefused(NetError, ConnectionRefusedError):
    """The peer refused the connection."""

    number = errno.ECONNREFUSED


class ListenRefused(NetError, OSError):
    """The board does not listen there: the port is taken, or the address is none of its own."""

    number = errno.EADDRINUSE


class NetTimeout(NetError, TimeoutError):
    """No connection came about in time, or the peer of one fell silent."""

    number = errno.ETIMEDOUT


class ConnectionLost(NetError, ConnectionError):
    """An established connection ended with an error."""

    number = errno.EIO


class ConnectionReset(ConnectionLost, ConnectionResetError):
    """The peer reset the connection, or it went with the board."""

    number = errno.ECONNRESET


class ConnectionAborted(ConnectionLost, ConnectionAbortedError):
    """The board gave the connection up: more came than its heap holds."""

    number = errno.ECONNABORTED


class WifiRefused(NetError):
    """A network is there and does not take the password."""


class WifiAbsent(NetError):
    """A network is not in the air where the board is."""


class RackError(BridgeError):
    """A rack could not give or keep a board."""


class NoPlace(RackError, UsageError):
    """No place of the rack can ever be what was asked for."""

    exit_code = 2


class PlaceBusy(RackError, TimeoutError):
    """Others hold what was asked for, until the deadline."""


class PlaceFailed(RackError):
    """What a place has does not work: its power control, its records or its board."""


class WrongBoard(RackError):
    """Another board, or other firmware, is at a place than its rack file says."""


class LeaseLost(RackError, PortLost):
    """The lease of a board is over without having been given back; nothing that is written arrives any more."""


class HandleError(BridgeError):
    """A handle cannot be used any more."""


class HandleClosed(HandleError):
    """The handle was closed or its object is gone."""


class StaleHandle(HandleError):
    """The handle belongs to an earlier boot of the board."""
