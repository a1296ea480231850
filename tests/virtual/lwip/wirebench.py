"""A TCP of the board with nothing around it: a test is the other end, segment by segment."""

from __future__ import annotations

import random
from typing import Any

from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_WND, TcpPcb
from bridge.virtual.lwip.segment import Flag, Segment
from bridge.virtual.lwip.tcp import Tcp
from bridge.virtual.lwip.tcp_in import tcp_input
from bridge.virtual.lwip.tcp_timers import fast_timer, slow_timer
from tests.virtual.lwip.bare import FreeMemory

OWN, PEER = from_dotted("10.77.0.2"), from_dotted("10.77.0.1")
ACK, SYN, FIN, RST, PSH = Flag.ACK, Flag.SYN, Flag.FIN, Flag.RST, Flag.PSH


class WireBench:
    """The board's TCP, and the numbers of the other end."""

    def __init__(self, memory: int = 1_000_000) -> None:
        self.sent: list[Segment] = []
        self.memory = FreeMemory(memory)
        self.tcp = Tcp(self.memory, self.sent.append, lambda ip: OWN, random.Random(1))
        self.events: list[Any] = []
        self.pcb: TcpPcb = TcpPcb()
        self.seq = 1000
        self.window = 65535
        self.on: dict[str, Any] = {}

    def take(self) -> list[Segment]:
        """What the board sent since the last look."""
        sent, self.sent[:] = list(self.sent), []
        return sent

    def kinds(self) -> list[tuple[Flag, int]]:
        """Flags and data length of what the board sent since the last look."""
        return [(segment.flags, len(segment.data)) for segment in self.take()]

    def put(self, flags: Flag, data: bytes = b"", *, seq: int | None = None, ack: int | None = None) -> None:
        """A segment of the other end arrives; it acknowledges everything unless told otherwise."""
        start = self.seq if seq is None else seq
        segment = Segment(
            PEER,
            7001,
            OWN,
            self.pcb.local_port,
            start,
            self.pcb.snd_nxt if ack is None else ack,
            flags,
            self.window,
            data,
            1460 if flags & SYN else None,
        )
        tcp_input(self.tcp, segment)
        if seq is None:
            self.seq += segment.length

    def attach(self, pcb: TcpPcb) -> None:
        self.pcb = pcb
        pcb.callback_arg = self
        pcb.recv, pcb.sent, pcb.errf = self._recv, self._sent, self._err

    def connect(self) -> None:
        """Connect, and let the handshake be done."""
        pcb = self.tcp.allocate()
        assert pcb is not None
        self.attach(pcb)
        assert self.tcp.connect(pcb, PEER, 7001, self._connected) is Err.OK
        self.put(SYN | ACK)
        self.take()

    def slow(self, ticks: int = 1) -> None:
        """The slow timer runs, each time with the two fast ones around it."""
        for _ in range(ticks):
            fast_timer(self.tcp)
            slow_timer(self.tcp)
            fast_timer(self.tcp)

    def _did(self, name: str, *details: Any) -> None:
        self.events.append((name, *details) if details else name)
        if name in self.on:
            self.on[name]()

    def _connected(self, _arg: Any, _pcb: TcpPcb, _err: Err) -> Err:
        self._did("connected")
        return Err.OK

    def _recv(self, _arg: Any, pcb: TcpPcb, data: list[bytes] | None, _err: Err) -> Err:
        if data is None:
            self._did("fin")
            return self.tcp.close(pcb)
        self._did("data", *data)
        self.tcp.recved(pcb, TCP_WND)
        return Err.OK

    def _sent(self, _arg: Any, _pcb: TcpPcb, length: int) -> Err:
        self._did("sent", length)
        return Err.OK

    def _err(self, _arg: Any, err: Err) -> None:
        self._did("error", err)
