"""TCP as the application calls it (app/lwip/core/tcp.c): new, bind, listen, connect, close, abort, recved."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from bridge.virtual.lwip import tcp_out
from bridge.virtual.lwip.address import ANY
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_WND, ListenPcb, State, TcpPcb
from bridge.virtual.lwip.segment import Flag, Segment
from bridge.virtual.lwip.tcp_core import Memory, TcpCore
from bridge.virtual.lwip.tcp_receive import update_announced_window

#: Local ports are drawn from here (TCP_LOCAL_PORT_RANGE_START, _END).
PORT_LOW = 1024
PORT_END = 0x7FFF
#: An explicit window update is sent when the window would grow by this much.
WND_UPDATE_THRESHOLD = TCP_WND // 4


class Tcp(TcpCore):
    """The TCP of one board.

    Args:
        memory, transmit, route: see `TcpCore`.
        rng: draws local ports.
    """

    def __init__(
        self,
        memory: Memory,
        transmit: Callable[[Segment], None],
        route: Callable[[int], int | None],
        rng: random.Random,
    ) -> None:
        super().__init__(memory, transmit, route)
        self._rng = rng
        self._iss = 6510

    def allocate(self) -> TcpPcb | None:
        """As `tcp_alloc`: when the heap is full the oldest TIME_WAIT, then the oldest connection, is given up."""
        taken = self.take_pcb()
        if taken is None:
            self._kill_oldest(self.time_wait)
            taken = self.take_pcb()
        if taken is None:
            self._kill_oldest(self.active)
            taken = self.take_pcb()
        if taken is None:
            return None
        iss = self._next_iss()
        return TcpPcb(taken=taken, snd_wl2=iss, snd_nxt=iss, lastack=iss, snd_lbb=iss, tmr=self.ticks)

    def _kill_oldest(self, pcbs: list[TcpPcb]) -> None:
        if pcbs:
            age = max(self.ticks - pcb.tmr for pcb in pcbs)
            self.abort(next(pcb for pcb in reversed(pcbs) if self.ticks - pcb.tmr == age))

    def _next_iss(self) -> int:
        self._iss = (self._iss + self.ticks) & 0xFFFFFFFF or 1
        return self._iss

    def _new_port(self) -> int:
        used = {pcb.local_port for pcb in (*self.bound, *self.active, *self.time_wait)}
        used.update(listener.local_port for listener in self.listening)
        while True:
            port = self._rng.getrandbits(32) % PORT_END
            if port < PORT_LOW:
                port += PORT_LOW
            if port not in used:
                return port

    def bind(self, pcb: TcpPcb, ip: int, port: int) -> Err:
        """Give a fresh pcb its local address; port 0 draws one."""
        port = port or self._new_port()
        others: list[TcpPcb | ListenPcb] = [*self.listening, *self.bound, *self.active]
        if not pcb.reuse_address:
            others += self.time_wait
        for other in others:
            both_reuse = pcb.reuse_address and other.reuse_address
            if other.local_port == port and not both_reuse and (ANY in (other.local_ip, ip) or other.local_ip == ip):
                return Err.USE
        pcb.local_ip = ip
        pcb.local_port = port
        self.bound.insert(0, pcb)
        return Err.OK

    def listen(self, pcb: TcpPcb) -> ListenPcb | None:
        """Turn a bound pcb into a listener; None when address and port are listened on, or the heap is full."""
        if any(p.local_port == pcb.local_port and p.local_ip == pcb.local_ip for p in self.listening):
            return None
        taken = self.take_listen()
        if taken is None:
            return None
        listener = ListenPcb(
            pcb.local_ip, pcb.local_port, pcb.callback_arg, ttl=pcb.ttl, reuse_address=pcb.reuse_address, taken=taken
        )
        self.bound.remove(pcb)
        self.free_pcb(pcb)
        self.listening.insert(0, listener)
        self.on_changed()
        return listener

    def connect(self, pcb: TcpPcb, ip: int, port: int, connected: Callable[[Any, TcpPcb, Err], Err]) -> Err:
        """Send the SYN. RTE without a route: the pcb then stays closed and nothing ever happens to it."""
        if pcb.state is not State.CLOSED:
            return Err.ISCONN
        pcb.remote_ip = ip
        pcb.remote_port = port
        if pcb.local_ip == ANY:
            local = self.route(ip)
            if local is None:
                return Err.RTE
            pcb.local_ip = local
        if pcb.local_port == 0:
            pcb.local_port = self._new_port()
        elif pcb in self.bound:
            self.bound.remove(pcb)
        iss = self._next_iss()
        pcb.rcv_nxt = pcb.rcv_ann_right_edge = 0
        pcb.snd_nxt = iss
        pcb.lastack = pcb.snd_lbb = (iss - 1) & 0xFFFFFFFF
        pcb.rcv_wnd = pcb.rcv_ann_wnd = pcb.snd_wnd = TCP_WND
        pcb.cwnd = 1
        pcb.ssthresh = pcb.mss * 10
        pcb.connected = connected
        err = tcp_out.enqueue_flags(self, pcb, Flag.SYN)
        if err is Err.OK:
            pcb.state = State.SYN_SENT
            self.register_active(pcb)
            tcp_out.output(self, pcb)
        return err

    def write(self, pcb: TcpPcb, payload: bytes) -> Err:
        """Queue bytes; see `tcp_out.write`."""
        return tcp_out.write(self, pcb, payload)

    def recved(self, pcb: TcpPcb, length: int) -> None:
        """The application has room for this many bytes again; a large step is announced at once."""
        pcb.rcv_wnd = min(pcb.rcv_wnd + length, TCP_WND)
        if update_announced_window(pcb) >= WND_UPDATE_THRESHOLD:
            pcb.ack_now = True
            tcp_out.output(self, pcb)

    def give_data(self, pcb: TcpPcb, data: list[bytes] | None) -> Err:
        """Hand data, or None for the peer's FIN, to the application; without one: drop it, or close."""
        if pcb.recv is not None:
            return pcb.recv(pcb.callback_arg, pcb, data, Err.OK)
        if data is None:
            return Err.OK
        self.recved(pcb, sum(map(len, data)))
        return Err.OK

    def close_listener(self, listener: ListenPcb) -> None:
        """Stop listening; connections that came through it live on."""
        self.listening.remove(listener)
        self.free_pcb(listener)
        self.on_changed()

    def close(self, pcb: TcpPcb) -> Err:
        """As `tcp_close`: a FIN, or an RST when received data was not yet taken by the application.

        Returns:
            OK, or MEM when a FIN cannot be queued: the pcb is then as it was.
        """
        pcb.rx_closed = True
        if pcb.rcv_wnd != TCP_WND and pcb.state is not State.CLOSED:
            self.reset_peer(pcb)
            self.purge(pcb)
            self.to_time_wait(pcb)
            return Err.OK
        if pcb.state is State.CLOSED:
            if pcb in self.bound:
                self.bound.remove(pcb)
            self.free_pcb(pcb)
            return Err.OK
        if pcb.state is State.SYN_SENT:
            self.remove(pcb)
            self.free_pcb(pcb)
            return Err.OK
        after = {
            State.SYN_RCVD: State.FIN_WAIT_1,
            State.ESTABLISHED: State.FIN_WAIT_1,
            State.CLOSE_WAIT: State.LAST_ACK,
        }.get(pcb.state)
        if after is None:
            return Err.OK
        err = tcp_out.send_fin(self, pcb)
        if err is Err.OK:
            pcb.state = after
            self.on_changed()
            tcp_out.output(self, pcb)
        return err

    def abort(self, pcb: TcpPcb) -> None:
        """Drop a connection, with an RST for the peer and error -8 for the application."""
        self.abandon(pcb, reset=True)

    def abandon(self, pcb: TcpPcb, *, reset: bool) -> None:
        """As `tcp_abandon`. Does nothing to a pcb that has been freed."""
        if pcb.taken == 0:
            return
        if pcb.state is State.TIME_WAIT:
            self.time_wait.remove(pcb)
            self.free_pcb(pcb)
            return
        self.remove(pcb)
        self.drop_queues(pcb)
        if reset and pcb.local_port:
            self.reset_peer(pcb)
        self.report_error(pcb, Err.ABRT)
        self.free_pcb(pcb)
