"""The smallest kernel a network stack runs on: a loop, a heap that counts, no Lua."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_WND, TcpPcb
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.options import VirtualOptions
from bridge.virtual.sdk.kernel import OutOfHeap


class BareHeap:
    """Counts what C takes."""

    def __init__(self, size: int = 40_000) -> None:
        self.size = size
        self.used = 0

    def claim(self, size: int) -> int:
        taken = (size + 8 + 7) // 8 * 8
        if self.used + taken > self.size:
            raise OutOfHeap
        self.used += taken
        return taken

    def release(self, taken: int) -> None:
        self.used -= taken

    def free(self) -> int:
        return self.size - self.used


class BareKernel:
    """Runs events in the order they come, takes no time for anything."""

    def __init__(
        self, seed: int = 1, *, options: VirtualOptions | None = None, flash: FlashMemory | None = None
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.random = random.Random(seed)
        self.heap = BareHeap()
        self.cpu = SimpleNamespace(now=self.loop.time, mhz=80, busy=lambda seconds: None)
        self.options = options or VirtualOptions()
        self.flash = flash or FlashMemory(1024 * 1024)
        self._resets: list[Callable[[], None]] = []
        self._dead = False

    def event(self, function: Callable[[], None]) -> None:
        self.loop.call_soon(self._alive(function))

    def after(self, seconds: float, function: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, self._alive(function))

    def on_reset(self, function: Callable[[], None]) -> None:
        self._resets.append(function)

    def reset(self) -> None:
        """End the boot."""
        self._dead = True
        for function in self._resets:
            function()

    def _alive(self, function: Callable[[], None]) -> Callable[[], None]:
        return lambda: None if self._dead else function()


def boot(network: Any, kernel: BareKernel | None = None) -> NetworkStack:
    """A stack on that network, with its addresses."""
    stack: NetworkStack = network.factory(kernel or BareKernel())
    return stack


class App:
    """A program on the raw API that keeps what it is told, as net.c does with its userdata."""

    def __init__(self, stack: NetworkStack) -> None:
        self.stack = stack
        self.pcb: TcpPcb | None = None
        self.log: list[Any] = []
        self.hold = False
        self.on: dict[str, Callable[[], None]] = {}
        self._changed = asyncio.Event()

    def connect(self, ip: int, port: int) -> App:
        pcb = self.stack.tcp.allocate()
        assert pcb is not None
        self.attach(pcb)
        assert self.stack.tcp.connect(pcb, ip, port, self._connected) is Err.OK
        return self

    def attach(self, pcb: TcpPcb) -> None:
        self.pcb = pcb
        pcb.callback_arg, pcb.recv, pcb.sent, pcb.errf = self, self._recv, self._sent, self._err

    def listen(self, port: int, ip: int = 0) -> list[App]:
        """Listen; the apps of accepted connections are put into the list."""
        accepted: list[App] = []
        pcb = self.stack.tcp.allocate()
        assert pcb is not None
        pcb.reuse_address = True
        assert self.stack.tcp.bind(pcb, ip, port) is Err.OK
        listener = self.stack.tcp.listen(pcb)
        assert listener is not None

        def accept(_arg: Any, new: TcpPcb, _err: Err) -> Err:
            app = App(self.stack)
            app.attach(new)
            app.happened("accepted")
            accepted.append(app)
            self.happened("accept")
            return Err.OK

        listener.accept = accept
        return accepted

    def happened(self, what: Any) -> None:
        self.log.append(what)
        self._changed.set()
        name = what if isinstance(what, str) else what[0]
        if name in self.on:
            self.on[name]()

    async def until(self, condition: Callable[[list[Any]], bool], timeout: float = 60) -> None:
        """Wait until the log looks so."""
        async with asyncio.timeout(timeout):
            while not condition(self.log):
                self._changed.clear()
                await self._changed.wait()

    def received(self) -> bytes:
        return b"".join(entry[1] for entry in self.log if entry[0] == "receive")

    def sizes(self) -> list[int]:
        return [len(entry[1]) for entry in self.log if entry[0] == "receive"]

    def _connected(self, _arg: Any, _pcb: TcpPcb, _err: Err) -> Err:
        self.happened("connected")
        return Err.OK

    def _recv(self, _arg: Any, pcb: TcpPcb, data: list[bytes] | None, _err: Err) -> Err:
        if data is None:
            self.happened("fin")
            return self.stack.tcp.close(pcb)
        for part in data:
            self.happened(("receive", part))
        self.stack.tcp.recved(pcb, 0 if self.hold else TCP_WND)
        return Err.OK

    def _sent(self, _arg: Any, _pcb: TcpPcb, length: int) -> Err:
        self.happened(("sent", length))
        return Err.OK

    def _err(self, _arg: Any, err: Err) -> None:
        self.pcb = None
        self.happened(("error", err))


class FreeMemory:
    """`tcp_core.Memory` of so many bytes."""

    def __init__(self, size: int = 1_000_000) -> None:
        self.left = size

    def take(self, size: int) -> int | None:
        if size > self.left:
            return None
        self.left -= size
        return size

    def give(self, taken: int) -> None:
        self.left += taken
