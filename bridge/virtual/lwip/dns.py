"""The stack's resolver (app/lwip/core/dns.c): four slots, two servers, no cache.

An answer with an error code is ignored, so that a name that does not exist fails only by timeout. Queries carry
slot + a random number that is drawn anew for every query of any slot: only the answer to the last one sent counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.address import ANY, NONE, from_dotted, parse_or_none
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import UdpPcb
from bridge.virtual.lwip.udp import PORT_END, PORT_LOW, Udp

TABLE_SIZE = 4
MAX_SERVERS = 2
MAX_NAME_LENGTH = 256
MAX_RETRIES = 4
MAX_TTL = 604_800
PORT = 53
#: resolver1.opendns.com, until DHCP or the program names another.
DEFAULT_SERVER = from_dotted("208.67.222.222")

#: Called with the name, its address or None, and the argument given with the request.
Found = Callable[[bytes, int | None, Any], None]


class _State(Enum):
    UNUSED = 0
    NEW = 1
    ASKING = 2
    DONE = 3


@dataclass
class _Entry:
    state: _State = _State.UNUSED
    server: int = 0
    tmr: int = 0
    retries: int = 0
    seqno: int = 0
    ttl: int = 0
    name: bytes = b""
    found: Found | None = None
    arg: Any = None

    def tell(self, address: int | None) -> None:
        """Tell who asked, and keep nothing of it: in the chip `arg` is a number."""
        arg, self.arg = self.arg, None
        if self.found is not None:
            self.found(self.name, address, arg)


class Resolver:
    """The resolver of one board.

    Args:
        udp: through which it asks.
        rng: draws its port and the ids.
    """

    def __init__(self, udp: Udp, rng: random.Random) -> None:
        self._udp = udp
        self._rng = rng
        self._table = [_Entry() for _ in range(TABLE_SIZE)]
        self._seqno = 0
        self._random = 0
        self.servers = [DEFAULT_SERVER, ANY]
        pcb = udp.new()
        self._pcb = pcb if pcb is not None else UdpPcb()
        if udp.bind(self._pcb, ANY, PORT_LOW + rng.getrandbits(32) % (PORT_END - PORT_LOW)) is not Err.OK:
            udp.bind(self._pcb, ANY, 0)
        self._pcb.recv = self._received
        #: Called when a request was queued: the timer has to run.
        self.on_needed: Callable[[], None] = lambda: None

    @property
    def port(self) -> int:
        """The UDP port queries leave from."""
        return self._pcb.local_port

    def set_server(self, index: int, ip: int) -> None:
        """Name a server; index and address that make no sense are ignored."""
        if 0 <= index < MAX_SERVERS and ip != ANY:
            self.servers[index] = ip

    def get_server(self, index: int) -> int:
        """Address of a server, ANY when there is none."""
        return self.servers[index] if 0 <= index < MAX_SERVERS else ANY

    def resolve(self, name: bytes, found: Found, arg: Any) -> int | Err:
        """Look a name up (`dns_gethostbyname`).

        Args:
            name: up to its first NUL.
            found: called later, unless the result is final.
            arg: passed on to `found`.

        Returns:
            The address when the name is one; otherwise INPROGRESS, ARG for an empty or too long name, or MEM
            when four requests are pending. (Addresses are not negative, errors are.)
        """
        name = name.split(b"\0", 1)[0]
        if not name or len(name) >= MAX_NAME_LENGTH:
            return Err.ARG
        address = parse_or_none(name)
        if address != NONE:
            return address
        index = self._free_slot()
        if index is None:
            return Err.MEM
        entry = self._table[index]
        entry.state = _State.NEW
        entry.seqno = self._seqno
        self._seqno = (self._seqno + 1) & 0xFF
        entry.name, entry.found, entry.arg = name, found, arg
        self._check(index)
        self.on_needed()
        return Err.INPROGRESS

    def _free_slot(self) -> int | None:
        """An unused slot, else the oldest finished one."""
        oldest, oldest_age = 0, 0
        for index, entry in enumerate(self._table):
            if entry.state is _State.UNUSED:
                return index
            if entry.state is _State.DONE and self._seqno - entry.seqno > oldest_age:
                oldest, oldest_age = index, self._seqno - entry.seqno
        return oldest if self._table[oldest].state is _State.DONE else None

    def tick(self) -> bool:
        """The timer of (nominally) one second; returns whether anything is left to wait for."""
        for index in range(TABLE_SIZE):
            self._check(index)
        return any(entry.state is not _State.UNUSED for entry in self._table)

    def _check(self, index: int) -> None:
        entry = self._table[index]
        if entry.state is _State.NEW:
            entry.state = _State.ASKING
            entry.server, entry.tmr, entry.retries = 0, 1, 0
            self._ask(index)
        elif entry.state is _State.ASKING:
            entry.tmr -= 1
            if entry.tmr == 0:
                self._retry(index)
        elif entry.state is _State.DONE:
            entry.ttl -= 1
            if entry.ttl <= 0:
                entry.state, entry.found = _State.UNUSED, None

    def _retry(self, index: int) -> None:
        entry = self._table[index]
        entry.retries += 1
        if entry.retries < MAX_RETRIES:
            entry.tmr = entry.retries
            self._ask(index)
        elif self.get_server(entry.server + 1) != ANY:
            entry.server += 1
            entry.tmr, entry.retries = 1, 0
        else:
            self._fail(entry)

    @staticmethod
    def _fail(entry: _Entry) -> None:
        entry.tell(None)
        entry.state, entry.found = _State.UNUSED, None

    def _ask(self, index: int) -> None:
        entry = self._table[index]
        self._random = self._rng.getrandbits(16)
        server = self.servers[entry.server]
        self._pcb.remote_ip, self._pcb.remote_port, self._pcb.connected = server, PORT, True
        identifier = (index + self._random) & 0xFFFF
        self._udp.send(self._pcb, dns_message.query(identifier, entry.name), server, PORT)

    def _received(self, _arg: Any, _pcb: UdpPcb, message: bytes, _ip: int, _port: int) -> None:
        identifier = dns_message.read_identifier(message)
        if identifier is None:
            return
        index = (identifier - self._random) & 0xFFFF
        if index >= TABLE_SIZE or self._table[index].state is not _State.ASKING:
            return
        entry = self._table[index]
        answer = dns_message.read_answer(message, entry.name)
        if not answer.ok:
            return
        entry.state = _State.DONE
        if answer.address is None:
            self._fail(entry)
            return
        entry.ttl = min(answer.ttl, MAX_TTL)
        entry.tell(answer.address)
        if entry.ttl == 0:
            entry.state, entry.found = _State.UNUSED, None
