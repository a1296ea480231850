"""The peer's TCP, segment by segment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.virtual import clock
from bridge.virtual.lwip.peer import Peer, PeerState
from bridge.virtual.lwip.segment import Flag, Segment

ACK, SYN, FIN, RST, PSH = Flag.ACK, Flag.SYN, Flag.FIN, Flag.RST, Flag.PSH


class Keeper:
    """An owner that notes what it is told."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.space = 10_000

    def window(self) -> int:
        return self.space

    def established(self) -> None:
        self.log.append("established")

    def data(self, data: bytes) -> None:
        self.log.append(data)

    def fin(self) -> None:
        self.log.append("fin")

    def reset(self) -> None:
        self.log.append("reset")

    def room(self) -> None:
        pass

    def closed(self) -> None:
        self.log.append("closed")


class Far:
    """A peer, and the board's side of it in the hands of a test."""

    def __init__(self, *, coalesce: bool = False, nagle: bool = False, ack_delay: float = 0.0) -> None:
        self.sent: list[Segment] = []
        self.owner = Keeper()
        loop = asyncio.get_running_loop()
        self.peer = Peer(
            loop, self.sent.append, self.owner, (1, 80), (2, 5000), coalesce=coalesce, nagle=nagle, ack_delay=ack_delay
        )  # fmt: skip
        self.seq, self.ack, self.window = 100, 0, 5840

    def put(self, flags: Flag, data: bytes = b"") -> None:
        segment = Segment(2, 5000, 1, 80, self.seq, self.ack, flags, self.window, data)
        self.seq += segment.length
        self.peer.receive(segment)

    def take(self, *, acknowledge: bool = True) -> list[tuple[Flag, bytes]]:
        sent, self.sent[:] = list(self.sent), []
        for segment in sent:
            if acknowledge:
                self.ack = max(self.ack, segment.seq + segment.length)
        return [(segment.flags, segment.data) for segment in sent]

    def accepted(self) -> Far:
        self.put(SYN)
        self.peer.accept()
        self.take()
        self.put(ACK)
        return self


def on_clock(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    clock.run(main())


def test_the_boards_syn_is_accepted_refused_or_left_alone() -> None:
    async def test() -> None:
        far = Far().accepted()
        assert far.owner.log == ["established"] and far.peer.state is PeerState.ESTABLISHED
        far = Far()
        far.put(SYN)
        far.peer.refuse()
        assert far.take() == [(RST | ACK, b"")] and far.peer.state is PeerState.CLOSED
        far = Far()
        far.put(SYN)
        assert far.take() == [] and far.peer.opening

    on_clock(test)


def test_a_syn_to_a_full_board_is_repeated_after_1_2_and_4_seconds() -> None:
    async def test() -> None:
        far = Far()
        far.peer.open()
        loop = asyncio.get_running_loop()
        times = []
        while len(times) < 4:
            if far.take(acknowledge=False):
                times.append(loop.time())
            await asyncio.sleep(0.25)
        assert times == [0, 1, 3, 7]
        far.ack = 0x1001
        far.put(SYN | ACK)
        assert far.take()[-1] == (ACK, b"") and far.owner.log == ["established"]

    on_clock(test)


def test_every_segment_is_acknowledged_and_what_does_not_fit_is_not_taken() -> None:
    async def test() -> None:
        far = Far().accepted()
        far.put(ACK | PSH, b"hello")
        assert far.owner.log[1:] == [b"hello"] and far.take() == [(ACK, b"")]
        far.owner.space = 0
        far.put(ACK | PSH, b"x" * 10000)  # announced before, so it is taken
        far.put(ACK | PSH, b"y")
        assert [len(data) for data in far.owner.log[1:]] == [5, 10000] and far.sent[-1].window == 0  # type: ignore[arg-type]
        far.owner.space = 3000
        far.peer.window_opened()
        assert far.sent[-1].window == 3000

    on_clock(test)


def test_chunks_keep_their_borders_and_the_boards_window_is_kept_to() -> None:
    async def test() -> None:
        far = Far().accepted()
        for chunk in (b"a" * 100, b"b" * 900, b"c" * 5000):
            far.peer.send(chunk)
        assert [len(data) for _, data in far.take()] == [100, 900, 1460, 1460, 1460, 460]
        assert far.peer.wants() == 0 and far.peer.queued == 6000
        far.put(ACK)
        assert [len(data) for _, data in far.take()] == [160]
        assert far.peer.wants() == 5840 - 160

    on_clock(test)


def test_nagle_and_coalescing_join_small_writes() -> None:
    async def test() -> None:
        far = Far(coalesce=True, nagle=True).accepted()
        for _ in range(10):
            far.peer.send(b"x" * 100)
        assert [len(data) for _, data in far.take()] == [100]
        far.put(ACK)
        assert [len(data) for _, data in far.take()] == [900]

    on_clock(test)


def test_what_is_lost_is_sent_again_and_a_dead_board_given_up() -> None:
    async def test() -> None:
        far = Far().accepted()
        far.peer.send(b"lost")
        await asyncio.sleep(3.5)
        assert far.take(acknowledge=False) == [(ACK | PSH, b"lost")] * 3
        await asyncio.sleep(3000)
        assert far.owner.log[-1] == "reset" and far.peer.state is PeerState.CLOSED

    on_clock(test)


def test_a_closed_window_is_asked_about() -> None:
    async def test() -> None:
        far = Far().accepted()
        far.window = 0
        far.put(ACK)
        far.peer.send(b"wait")
        await asyncio.sleep(1.5)
        assert far.take(acknowledge=False) == [(ACK, b"")]
        far.window = 100
        far.put(ACK)
        assert far.take() == [(ACK | PSH, b"wait")]

    on_clock(test)


def test_ends() -> None:
    async def test() -> None:
        far = Far().accepted()
        far.peer.send(b"last")
        far.peer.finish()
        assert far.take() == [(ACK | PSH, b"last"), (ACK | FIN, b"")]
        far.put(ACK | FIN)
        assert far.owner.log[1:] == ["fin", "closed"]
        far = Far().accepted()
        far.put(RST)
        assert far.owner.log[1:] == ["reset"]
        far = Far().accepted()
        far.peer.abort()
        assert far.take() == [(RST | ACK, b"")]

    on_clock(test)


def test_acknowledgements_that_wait_go_with_the_second_segment_with_data_or_when_their_time_has_come() -> None:
    async def test() -> None:
        far = Far(ack_delay=0.04).accepted()
        far.put(ACK | PSH, b"one")
        assert far.take() == []
        far.put(ACK | PSH, b"two")
        assert far.take() == [(ACK, b"")]
        far.put(ACK | PSH, b"three")
        far.peer.send(b"answer")
        assert far.take() == [(ACK | PSH, b"answer")]
        far.put(ACK | PSH, b"four")
        await asyncio.sleep(0.039)
        assert far.take() == []
        await asyncio.sleep(0.002)
        assert far.take() == [(ACK, b"")]
        far.put(ACK | PSH, b"five")
        far.put(ACK | FIN)
        assert far.take() == [(ACK, b"")]
        await asyncio.sleep(0.1)
        assert far.take() == []

    on_clock(test)
