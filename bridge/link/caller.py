"""What the mirror needs of a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.errors import BridgeError
from bridge.wire.values import Handle, Value

#: Called on the event loop with the event's name ("receive", …) and its values, in the order of the board's events.
EventReceiver = Callable[[str, tuple[Value, ...]], None]
#: Default deadline of a call in seconds.
CALL_TIMEOUT = 10.0


class Caller(Protocol):
    """What the mirror needs of a link; `Link` is one, and tests may make their own."""

    @property
    def url(self) -> str:
        """URL of the port, for messages."""

    @property
    def epoch(self) -> int:
        """Number of this boot of the agent; a handle of another epoch is stale."""

    #: Text that the board printed beside the frames, as it came (CR LF and all). Called with b"" never.
    on_console: Callable[[bytes], None] | None
    #: Called once when the link is over, with the reason: BoardReset, LinkTimeout, PortLost, … Everything that
    #: waited has been failed with the same error before. Not called for `close()`.
    on_down: Callable[[BridgeError], None] | None
    #: Called with the text of an error that was caught in one of the agent's own callbacks, or a dropped callback.
    on_fault: Callable[[str], None] | None

    async def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """Call something on the board and wait for what it returns.

        Args:
            target: "gpio.write" a function by its global path; ":connect" a method of the first value (a Handle);
                "@net.send" a function of one of the agent's rooms (firmware/agent/room_net.lua), loaded at first use.
            values: arguments. A Python callable travels as a Lua function that calls it (`Callback`).
            timeout: seconds, or None for no deadline of its own (the link still has its own deadlines).

        Returns:
            The values that Lua returned. A board object (userdata, function) comes as a `Handle`.

        Raises:
            LuaError: Lua raised; BoardOutOfMemory when its text is that of a full heap.
            LinkTimeout: no reply in time. The call may still happen on the board; its reply is dropped.
            BoardReset, LinkError, PortLost: the link is down.
        """

    def post(self, target: str, *values: Value) -> None:
        """As `call`, in order with the other calls, but without a reply. Errors come to `on_fault`."""

    async def run_lua(
        self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT, name: str = "lua"
    ) -> tuple[Value, ...]:
        """Compile and run a chunk once on the board; `...` in it are the values.

        Args:
            source: of any length; more than 4 000 bytes wait in a file on the board until they are compiled, if it has
                the module `file`.
            values: arguments.
            timeout: seconds that it may run. What brings a long source to the board does not count.
            name: of the chunk, as it stands before the line number in the board's error texts.

        Raises:
            LuaError: it does not compile or raised; else as `call`.
        """

    def subscribe(self, handle: Handle, receiver: EventReceiver) -> None:
        """Say who gets a handle's events. Events that came before are delivered now, in order."""

    def spare(self) -> None:
        """Free what heap the link can spare on the board; what goes is sent again when calls need it."""

    def unsubscribe(self, handle: Handle) -> None:
        """Drop the receiver; later events of this handle are dropped (until it is subscribed again)."""

    def grant(self, handle: Handle, amount: int) -> None:
        """Let that many more payload bytes come from the handle."""

    def release(self, handle: Handle, count: int = 1) -> None:
        """Give a handle back. Never fails, also on a link that is down.

        When it has been given back as often as it came, and none is on its way, the board lets its object go; it closes
        a socket first.

        Args:
            handle: the handle.
            count: how often it came, among results and the arguments of callbacks, since it was last given back.
        """

    async def close(self) -> None:
        """Stop the agent and give the prompt back exactly as it was; the port stays open and is the caller's."""
