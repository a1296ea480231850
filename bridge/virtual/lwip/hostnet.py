"""A board's network made of the host's own sockets.

The board has an address of its own in 127.0.0.0/8: it connects from it and listens on it. Everything in
127.0.0.0/8 can be reached; any other address answers nothing, so that a connect runs into the stack's timeout.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import random
import socket

from bridge.virtual.lwip.address import ANY, dotted, is_loopback, is_multicast
from bridge.virtual.lwip.dns import PORT as DNS_PORT
from bridge.virtual.lwip.host_socket import prepare
from bridge.virtual.lwip.host_tcp import HostConnection, address_of, connect_for
from bridge.virtual.lwip.hosts import answer_from_table
from bridge.virtual.lwip.interface import Site
from bridge.virtual.lwip.peer import Peer, PeerState
from bridge.virtual.lwip.pipe import Pipe
from bridge.virtual.lwip.segment import Datagram, Flag, Segment
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.sdk.kernel import Kernel

log = logging.getLogger("bridge.virtual.net")

#: Seconds a segment takes between the board and the host.
LATENCY = 0.0003

_LOCALHOST = 0x7F000001
#: Ports of programs that did not choose theirs appear below this one.
_NAT_PORT_END = 50_000
_NAT_PORT_LOW = 30_000
_Key = tuple[int, int, int]  # board's port, peer's address, peer's port


class HostNetwork:
    """The network of one board, over all its boots.

    Args:
        site: what the board is told about the network.
        rng: not used by this network; all networks are made alike.
    """

    def __init__(self, site: Site, rng: random.Random | None = None) -> None:
        self.site = site
        self._wire: HostWire | None = None

    def factory(self, kernel: Kernel) -> NetworkStack:
        """A stack for one boot; must be called with the event loop running."""
        return NetworkStack(kernel, self.site, self._make_wire)

    def _make_wire(self, stack: NetworkStack) -> HostWire:
        if self._wire is not None:
            self._wire.close()
        self._wire = HostWire(stack, self.site)
        return self._wire

    async def close(self) -> None:
        """Close every socket."""
        if self._wire is not None:
            self._wire.close()


class _Listener:
    """A listening socket, and the trick that makes a full board's clients wait.

    A board that has five connections ignores a SYN, and the client tries again. The kernel would complete the
    handshake for us; so its queue is kept as short as the board has room, and filled with a connection of our own
    when there is none. Linux then ignores SYNs just so.
    """

    def __init__(self, wire: HostWire, address: tuple[str, int]) -> None:
        self._wire = wire
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._filler: socket.socket | None = None
        try:
            self._sock.setblocking(False)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            prepare(self._sock)
            self._sock.bind(address)
            self._sock.listen(0)
        except OSError:
            self._sock.close()
            raise
        self.room(wire.station.room_for_connections())

    def room(self, count: int) -> None:
        """Set how many connections the board will take now."""
        loop = self._wire.loop
        if count > 0:
            self._sock.listen(count - 1)
            loop.add_reader(self._sock.fileno(), self._accept)
        elif self._filler is None:
            loop.remove_reader(self._sock.fileno())
            self._sock.listen(0)
            self._filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._filler.setblocking(False)
            self._filler.bind((self._sock.getsockname()[0], 0))
            self._filler.connect_ex(self._sock.getsockname())

    def _accept(self) -> None:
        try:
            sock, name = self._sock.accept()
        except OSError:
            return
        if self._filler is not None and self._filler.getsockname() == name:
            sock.close()
            self._filler.close()
            self._filler = None
            return
        sock.setblocking(False)
        prepare(sock)
        self._wire.accepted(sock, address_of(name), address_of(sock.getsockname()))

    def close(self) -> None:
        self._wire.loop.remove_reader(self._sock.fileno())
        if self._filler is not None:
            self._filler.close()
        self._sock.close()


class HostWire:
    """The host's sockets of one boot."""

    def __init__(self, station: NetworkStack, site: Site) -> None:
        self.loop = asyncio.get_running_loop()
        self.station = station
        self._site = site
        self._connections: dict[_Key, HostConnection] = {}
        self._listeners: dict[tuple[int, int], _Listener] = {}
        self._datagrams: dict[tuple[int, int], socket.socket] = {}
        #: UDP replies to a program at 127.0.0.1, by the place it was shown as.
        self._behind_gateway: dict[tuple[int, int], tuple[int, int]] = {}
        self._to_board = Pipe[Segment](self.loop, LATENCY, station.receive_segment)
        self._from_board = Pipe[Segment](self.loop, LATENCY, self._segment)
        self._datagrams_in = Pipe[Datagram](self.loop, LATENCY, station.receive_datagram)
        self._datagrams_out = Pipe[Datagram](self.loop, 0.0, self._datagram)
        self._closed = False

    # --- Wire ---

    def send_segment(self, segment: Segment, at: float) -> None:
        self._from_board.put(segment, at)

    def send_datagram(self, datagram: Datagram, at: float) -> None:
        self._datagrams_out.put(datagram, at)

    def echo_time(self, ip: int) -> float | None:
        return 2 * LATENCY if is_loopback(ip) and ip != self._site.address else None

    def changed(self) -> None:
        if self._closed:
            return
        up = self.station.interface.up
        self._match_listeners(self._bindable(self.station.tcp_listeners()) if up else set())
        ports = self.station.udp_ports() if up else []
        groups = {(group, port) for group in self.station.groups for _, port in ports if port != self.station.dns.port}
        self._match_udp(self._bindable(ports) | groups)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for pipe in (self._to_board, self._from_board):
            pipe.close()
        for datagram_pipe in (self._datagrams_in, self._datagrams_out):
            datagram_pipe.close()
        for connection in list(self._connections.values()):
            connection.vanish()
        self._match_listeners(set())
        self._match_udp(set())

    # --- TCP ---

    def to_board(self, segment: Segment) -> None:
        self._to_board.put(segment)

    def forget(self, peer: Peer) -> None:
        key = (peer.remote[1], *peer.local)
        if key in self._connections and self._connections[key].peer is peer:
            del self._connections[key]
        if not self._closed:
            self._match_room()

    def accepted(self, sock: socket.socket, client: tuple[int, int], board: tuple[int, int]) -> None:
        """A program connected to one of the board's listeners: offer it to the board."""
        client = self._shown(client)
        connection = HostConnection(self, sock, client, board)
        self._add((board[1], *client), connection)
        connection.peer.open()
        self._match_room()

    def _shown(self, place: tuple[int, int]) -> tuple[int, int]:
        """Where a host program appears to be.

        A program that does not choose its address has 127.0.0.1, whatever the board's network is. If the host is
        on that network (it serves the names there), it appears as that host, with a port as a NAT draws them.
        """
        ip, port = place
        if ip != _LOCALHOST or self._site.host is None:
            return place
        return self._site.host, port if port < _NAT_PORT_END else _NAT_PORT_LOW + port % _NAT_PORT_LOW

    def _add(self, key: _Key, connection: HostConnection) -> None:
        old = self._connections.pop(key, None)
        if old is not None:
            old.vanish()
        self._connections[key] = connection

    def _segment(self, segment: Segment) -> None:
        key = (segment.source_port, segment.target, segment.target_port)
        connection = self._connections.get(key)
        fresh_syn = segment.flags & (Flag.SYN | Flag.ACK) == Flag.SYN
        if connection is not None and not (fresh_syn and not connection.peer.opening):
            connection.peer.receive(segment)
        elif fresh_syn and is_loopback(segment.target) and segment.target != self._site.address:
            connection = connect_for(self, segment)
            self._add(key, connection)
            connection.connect((dotted(segment.target), segment.target_port))

    def _match_listeners(self, wanted: set[tuple[int, int]]) -> None:
        for place in set(self._listeners) - wanted:
            self._listeners.pop(place).close()
        for place in wanted - set(self._listeners):
            self._listen(place)
        if not self._closed:
            self._match_room()

    def _match_room(self) -> None:
        """Let as many clients through as the board will take, less those it has not answered yet."""
        offered = sum(c.peer.state is PeerState.SYN_SENT for c in self._connections.values())
        for listener in self._listeners.values():
            listener.room(self.station.room_for_connections() - offered)

    def _listen(self, place: tuple[int, int]) -> None:
        try:
            self._listeners[place] = _Listener(self, (dotted(place[0]), place[1]))
        except OSError as error:
            log.warning("the board listens on %s:%d, but the host refuses: %s", dotted(place[0]), place[1], error)

    def _bindable(self, places: list[tuple[int, int]]) -> set[tuple[int, int]]:
        """Where the host has to listen for places the board listens on; those nobody could reach are left out."""
        return {(self._site.address, port) for ip, port in places if ip in (ANY, self._site.address)}

    # --- UDP ---

    def _match_udp(self, wanted: set[tuple[int, int]]) -> None:
        for place in set(self._datagrams) - wanted:
            sock = self._datagrams.pop(place)
            self.loop.remove_reader(sock.fileno())
            sock.close()
        for place in wanted - set(self._datagrams):
            self._bind_udp(place)

    def _bind_udp(self, place: tuple[int, int]) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            if is_multicast(place[0]):
                # Each board that is a member has such a socket, and each hears what comes to the group.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                membership = socket.inet_aton(dotted(place[0])) + socket.inet_aton(dotted(self._site.address))
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            sock.bind((dotted(place[0]), place[1]))
        except OSError as error:
            log.warning("the board uses UDP port %d, but the host refuses: %s", place[1], error)
            if error.errno not in (errno.EACCES, errno.EADDRINUSE):
                sock.close()
                return
            sock.bind((dotted(place[0]), 0))
        self._datagrams[place] = sock
        self.loop.add_reader(sock.fileno(), self._read_datagrams, sock, place)

    def _read_datagrams(self, sock: socket.socket, place: tuple[int, int]) -> None:
        with contextlib.suppress(OSError):  # also: an ICMP error for something sent before
            while True:
                data, name = sock.recvfrom(65536)
                real = address_of(name)
                if is_multicast(place[0]) and not self._near(real[0]):
                    continue
                source, port = shown = self._shown(real)
                if shown != real:
                    self._behind_gateway[shown] = real
                if place[1] == self.station.dns.port and port == self._site.dns_port:
                    port = DNS_PORT
                self._datagrams_in.put(Datagram(source, port, *place, data))

    def _near(self, ip: int) -> bool:
        """True for an address of the board's network, and the host's: all networks share one loopback interface."""
        return ip == _LOCALHOST or (ip ^ self._site.address) & self._site.netmask == 0

    def _datagram(self, datagram: Datagram) -> None:
        if datagram.source_port == self.station.dns.port:
            answer = answer_from_table(datagram, self._site.hosts)
            if answer is not None:
                self._datagrams_in.put(answer)
                return
        sock = self._datagrams.get((datagram.source, datagram.source_port))
        if sock is None or not is_loopback(datagram.target):
            return
        port = datagram.target_port
        if port == DNS_PORT and datagram.source_port == self.station.dns.port:
            port = self._site.dns_port
        target, port = self._behind_gateway.get((datagram.target, port), (datagram.target, port))
        with contextlib.suppress(OSError):
            sock.sendto(datagram.data, (dotted(target), port))
