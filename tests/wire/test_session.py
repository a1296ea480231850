import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BoardReset, LinkTimeout, LocalProtocolError, RemoteProtocolError
from bridge.wire.check import CheckKind
from bridge.wire.events import Failed
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.liveness import KEEP_ALIVE, SILENCE_LIMIT
from bridge.wire.messages import Call, DirectCall, Event, Failure, Hello, Reply, Source, Tune
from bridge.wire.session import STUCK_SECONDS, Session
from bridge.wire.states import TRANSITIONS, State, Trigger
from tests.campaigns.exchange import with_python
from tests.campaigns.world import Mix
from tests.wire.session_pair import Damage, SessionPair

HELLO = Hello(b"12345678")


def opened(**options: object) -> SessionPair:
    pair = SessionPair(**options)  # type: ignore[arg-type]
    pair.board.send(HELLO, pair.now)
    assert pair.run_until(lambda: pair.host_got, 5.0)
    pair.run(0.5)
    pair.host_got.clear()
    return pair


def chunks(rng: random.Random, count: int, size: int = 300) -> list[bytes]:
    return [rng.randbytes(rng.randrange(1, size)) for _ in range(count)]


def test_the_host_is_silent_until_it_has_heard_the_board() -> None:
    pair = SessionPair()
    pair.host.send(Call(71, 1), 0.0)
    pair.run(5.0)
    assert pair.bytes["to_board"] == 0
    pair.board.send(HELLO, pair.now)
    assert pair.run_until(lambda: pair.board_got, 1.0)
    assert pair.board_got == [Call(71, 1)] and pair.host_got == [HELLO]


def test_messages_arrive_once_and_in_order_both_ways() -> None:
    pair = opened()
    rng = random.Random(1)
    down, up = chunks(rng, 60, 1400), chunks(rng, 60, 1400)
    for one, other in zip(down, up, strict=True):
        pair.host.send(Call(71, 2, (one,)), pair.now)
        pair.board.send(Event(1, 4, (other,)), pair.now)
    pair.run(30.0)
    assert [m.values[0] for m in pair.board_got] == down
    assert [m.values[0] for m in pair.host_got] == up
    assert pair.host.idle and pair.board.idle and not pair.failed


@settings(max_examples=25, deadline=None)
@given(
    drop=st.floats(0, 0.01),
    flip=st.floats(0, 0.01),
    duplicate=st.floats(0, 0.01),
    latency=st.floats(0.0, 0.02),
    seed=st.integers(0, 2**32),
)
def test_nothing_is_lost_or_invented_on_a_bad_line(
    drop: float, flip: float, duplicate: float, latency: float, seed: int
) -> None:
    rng = random.Random(seed)
    pair = SessionPair(
        to_board=Damage(drop, flip, duplicate, rng.random().__hash__()),
        to_host=Damage(drop, flip, duplicate, rng.random().__hash__()),
        latency=latency,
    )
    pair.board.send(HELLO, 0.0)
    down, up = chunks(rng, 8), chunks(rng, 8)
    for one, other in zip(down, up, strict=True):
        pair.host.send(Call(71, 2, (one,)), 0.0)
        pair.board.send(Event(1, 4, (other,)), 0.0)
    done = pair.run_until(lambda: len(pair.board_got) == 8 and len(pair.host_got) == 9, 120.0)
    assert [m.values[0] for m in pair.board_got] == down[: len(pair.board_got)]
    assert [m.values[0] for m in pair.host_got[1:]] == up[: max(len(pair.host_got) - 1, 0)]
    assert done or isinstance(pair.failed[0].error, LinkTimeout)
    assert done or drop + flip + duplicate > 0.01


@pytest.mark.parametrize(("damage", "least"), [(0.0, 0.93), (0.001, 0.7), (0.01, 0.35)])
def test_goodput_to_the_board(damage: float, least: float) -> None:
    pair = opened(to_board=Damage(damage / 2, damage / 2, seed=3), to_host=Damage(damage / 2, damage / 2, seed=4))
    began = pair.now
    size = 40_000
    for _ in range(0, size, 1250):
        pair.host.send(Call(71, 2, (bytes(range(250)) * 5,)), pair.now)
    assert pair.run_until(lambda: len(pair.board_got) == size // 1250, 60.0)
    assert size / (pair.now - began) / 11520 > least


def test_a_small_call_and_its_reply_cost_few_bytes() -> None:
    pair = opened()
    pair.run(1.0)
    before = sum(pair.bytes.values())
    pair.host.send(DirectCall(9, 1, b"\0\x078 bytes!"), pair.now)
    assert pair.run_until(lambda: pair.board_got, 1.0)
    pair.board.send(Reply(1), pair.now)
    pair.run(1.0)
    assert pair.host_got == [Reply(1)]
    assert sum(pair.bytes.values()) - before <= 40


def test_console_text_between_frames_is_text() -> None:
    pair = opened()
    texts = [b"hello\r\n", b"\tstdin:1: boom\r\n> ", "grün\r\n".encode(), b"x"]
    for text in texts:
        pair.put("to_host", text)
        pair.board.send(Event(1, 4, (b"data",)), pair.now)
        pair.settle()
        pair.run(0.2)
    assert pair.console == b"".join(texts)
    assert len(pair.host_got) == 4


def test_text_at_the_end_is_delivered_after_a_pause() -> None:
    pair = opened()
    pair.put("to_host", b"no line end")
    pair.run(0.03)
    assert pair.console == b""
    pair.run(0.1)
    assert pair.console == b"no line end"


def test_frames_of_another_epoch_are_text_and_never_frames() -> None:
    pair = opened()
    old = Codec(CheckKind.CRC, 0x4321)
    for seq in range(5):
        frame = Frame(Kind.LAST, seq, 0, payload=b"\x04\0\x01\x04g\0\x0b stale data")
        pair.put("to_host", old.encode(frame, to_host=True))
        pair.board.send(Event(1, 4, (b"fresh",)), pair.now)
        pair.run(0.3)
    assert [message.values for message in pair.host_got] == [(b"fresh",)] * 5
    assert pair.console.count(b"stale data") == 5


def test_what_the_host_said_is_not_heard_when_it_is_echoed() -> None:
    pair = opened()
    pair.host.send(Call(71, 1, (b"data",)), pair.now)
    said = pair.host.data_to_send(pair.now)
    pair.host.receive_data(b"\0" + said, pair.now)
    assert pair.host.receiver.expected == 1  # as after the hello


def test_a_board_that_echoes_is_at_its_prompt() -> None:
    pair = opened()
    pair.host.send(Call(71, 1, (b"data",)), pair.now)
    pair.host.receive_data(b"> " + pair.host.data_to_send(pair.now), pair.now)  # where the prompt stood, only damage
    assert pair.host.state is State.OPEN
    pair.host.send(Call(71, 1, (b"data",)), pair.now)
    pair.host.receive_data(pair.host.data_to_send(pair.now), pair.now)
    *printed, failed = iter(pair.host.next_event, None)
    assert isinstance(failed, Failed) and isinstance(failed.error, BoardReset) and failed.error.port == "host"
    assert pair.host.state is State.FAILED


def test_a_frame_is_not_hurried_while_nothing_at_all_comes() -> None:
    damage = 0.01
    pair = opened(to_board=Damage(drop=damage, seed=1), to_host=Damage(drop=damage, seed=2), baud=921_600)
    for number in range(300):
        pair.host.send(Call(71, 1, (b"%d" % number,)), pair.now)
        pair.board.send(Reply(1, (b"%d" % number,)), pair.now)
        pair.run(0.02)
    assert pair.host._hurry_at() is not None or pair.host.idle  # it is a line on which frames are hurried
    pair.board.receive_data = lambda data, now: False  # type: ignore[method-assign]  # a callback of Lua's is busy
    before = pair.host.sender.retransmissions
    pair.host.send(Call(71, 1, (b"x",)), pair.now)
    pair.run(3.0)
    assert pair.host.sender.retransmissions - before < 120 and not pair.failed


def test_silence_where_an_answer_is_due_ends_the_session() -> None:
    pair = opened()
    pair.board.close()
    pair.host.send(Call(71, 1), pair.now)
    began = pair.now
    assert pair.run_until(lambda: pair.failed, 60.0)
    assert isinstance(pair.failed[0].error, LinkTimeout)
    assert SILENCE_LIMIT <= pair.now - began < SILENCE_LIMIT + 1
    assert pair.host.state is State.FAILED and pair.host.data_to_send(pair.now) == b""


class LongFramesDamaged(Damage):
    """A line that lets short frames through and damages each long one."""

    since = 0

    def apply(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            self.since = self.since + 1 if byte else 0
            if self.since != 40:
                out.append(byte)
        return bytes(out)


@pytest.mark.parametrize("way", ["to_board", "to_host"])
def test_a_frame_that_never_gets_through_ends_the_session_though_others_do(way: str) -> None:
    pair = opened()
    pair._damage[way] = LongFramesDamaged()
    began = pair.now
    if way == "to_board":
        pair.host.send(Call(71, 1, (bytes(100),)), pair.now)
    else:
        pair.board.send(Event(1, 4, (bytes(100),)), pair.now)
        pair.board.send(Event(1, 5), pair.now)
    pair.host.sender.fix_payload(80)
    pair.board.sender.fix_payload(80)
    while not pair.failed and pair.now < began + 200:
        pair.board.send(Event(1, 5), pair.now)  # the board is there, and can be heard
        pair.run_until(lambda: pair.failed, 0.4)
    error = pair.failed[0].error
    assert isinstance(error, LinkTimeout) and "has not got through for 60 s" in str(error) and error.remedy
    assert STUCK_SECONDS <= pair.now - began < STUCK_SECONDS + 2


def test_the_only_frame_under_way_that_never_gets_through_ends_the_session_too() -> None:
    """No later frame shows that it is missing: only what comes damaged, again and again, does."""
    pair = opened()
    began = pair.now
    codec = pair.host._codec
    damaged = codec.encode(Frame(Kind.LAST, pair.host.receiver.expected, 0, payload=b"x" * 60), to_host=True)
    pair.board.receive_data = lambda data, now: False  # type: ignore[method-assign]
    while not pair.failed and pair.now < began + 200:
        # The board is there, can be heard, and has all that was sent to it.
        nak = codec.encode(Frame(Kind.BARE, 0, pair.host.sender._next_seq, nak=True), to_host=True)
        pair.host.receive_data(damaged[:30] + damaged[31:] + nak, pair.now)
        pair.run_until(lambda: pair.failed, 0.4)
    error = pair.failed[0].error
    assert isinstance(error, LinkTimeout) and "has not got through for 60 s" in str(error)
    assert STUCK_SECONDS <= pair.now - began < STUCK_SECONDS + 2


def test_noise_on_an_idle_link_does_not_end_it() -> None:
    pair = opened()
    for _ in range(400):
        pair.host.receive_data(b"\0\x81\x92\x07\xa3\xfe\x15\xc7\x99\0", pair.now)
        pair.run(0.5)
    assert not pair.failed


def test_a_line_that_stands_still_now_and_then_is_not_filled_with_copies() -> None:
    """Answers queue up behind it; whoever asks and sends again at a steady pace makes it worse and gives up."""
    mix = Mix(0.005, 0.004, 0.004, 0.0075, 0.003)
    for seed in range(4):
        outcome = with_python(mix, mix, [700, 1300, 300], seed)
        assert outcome.delivered, f"seed {seed}: {outcome.error}"


def test_answers_that_come_late_from_now_on_are_waited_for() -> None:
    """Frames that are sent twice bring no samples: the wait would stay too short for ever."""
    pair = opened(baud=921_600)
    pair.host.send(DirectCall(5, 0, bytes(1500)), pair.now)
    pair.run(1.0)
    pair._latency = 0.1
    for _ in range(40):
        pair.host.send(DirectCall(5, 0, bytes(1500)), pair.now)
    assert pair.run_until(lambda: pair.host.sender.round_trip.mean > 0.19, 5.0), "learnt"
    before = pair.host.sender.retransmissions
    pair.run(5.0)
    assert pair.host.sender.retransmissions - before < 3 and pair.host.sender.outstanding


def test_an_idle_link_is_asked_for_a_sign_of_life() -> None:
    pair = opened()
    before = pair.bytes["to_board"]
    pair.run(KEEP_ALIVE * 3 + 1)
    assert 0 < pair.bytes["to_board"] - before < 60
    assert not pair.failed


def test_boot_text_and_no_answer_is_a_reset_with_its_cause() -> None:
    pair = opened()
    pair.board.close()
    pair.put("to_host", b"PANIC: unprotected error in call to Lua API (boom)\r\n\r\n ets Jan  8 2013,rst cause:4, ")
    pair.put("to_host", b"boot mode:(3,6)\r\n\r\nNodeMCU 3.0.0.0 \r\n")
    began = pair.now
    assert pair.run_until(lambda: pair.failed, 10.0)
    error = pair.failed[0].error
    assert isinstance(error, BoardReset) and error.cause and error.cause.startswith("PANIC: unprotected")
    assert pair.now - began < 1.5


def test_boot_text_that_a_program_prints_is_only_text() -> None:
    pair = opened()
    pair.put("to_host", b"NodeMCU 3.0.0.0 powered by Lua 5.1.4\r\n> ")
    pair.run(20.0)
    assert not pair.failed and pair.host.state is State.OPEN
    assert pair.console.startswith(b"NodeMCU")


def test_a_board_that_breaks_the_rules_ends_the_session() -> None:
    pair = opened()
    frame = Frame(Kind.LAST, 1, pair.board.receiver.expected, payload=b"\xee nonsense")
    pair.put("to_host", Codec(CheckKind.CRC, 0x1234).encode(frame, to_host=True))
    pair.run(1.0)
    assert isinstance(pair.failed[0].error, RemoteProtocolError)


def test_frames_to_the_host_get_shorter_on_a_bad_line() -> None:
    pair = opened(to_host=Damage(drop=0.02, seed=5))
    for _ in range(30):  # what is cut already stays as long as it is
        pair.board.send(Event(1, 4, (bytes(20),)), pair.now)
    assert pair.run_until(lambda: len(pair.host_got) == 30, 60.0)
    pair.host_got.clear()
    for _ in range(30):
        pair.board.send(Event(1, 4, (bytes(500),)), pair.now)
    assert pair.run_until(lambda: len(pair.host_got) == 30, 60.0)
    longest = pair.host.inbound.best_size(170)
    assert longest < 40
    assert pair.board.sender._fixed is not None and pair.board.sender._fixed < 40


@pytest.mark.parametrize("message", [HELLO, Reply(1), Failure(0)])
def test_messages_of_the_other_side_cannot_be_sent(message: Hello | Reply | Failure) -> None:
    with pytest.raises(LocalProtocolError, match="other side"):
        SessionPair().host.send(message, 0.0)


def test_a_message_that_does_not_fit_is_refused_and_the_session_goes_on() -> None:
    pair = opened()
    with pytest.raises(LocalProtocolError):
        pair.host.send(Source(bytes(5000)), pair.now)
    pair.host.send(Call(71, 1), pair.now)
    assert pair.run_until(lambda: pair.board_got, 1.0)


def force(session: Session, trigger: Trigger) -> None:
    if trigger is Trigger.CLOSE:
        session.close()
    elif trigger is Trigger.SEND:
        session.send(Call(71, 1), 0.0)
    else:
        session._move(trigger)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_pair_of_state_and_trigger(state: State, trigger: Trigger) -> None:
    session = Session(Codec(CheckKind.CRC, 1))
    session.state = state
    after = TRANSITIONS.get((state, trigger))
    if after is None:
        fault = RemoteProtocolError if trigger is Trigger.HEARD else LocalProtocolError
        with pytest.raises(fault):
            force(session, trigger)
        assert session.state is state
    else:
        force(session, trigger)
        assert session.state is after


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=12))
def test_garbage_raises_nothing_and_is_not_kept(pieces: list[bytes]) -> None:
    pair = opened()
    for piece in pieces:
        pair.host.receive_data(piece, pair.now)
        pair.board.receive_data(piece, pair.now)
        pair.run(0.05)
    pair.host.send(Call(71, 1, (b"still",)), pair.now)
    assert pair.run_until(lambda: pair.board_got, 5.0)
    assert pair.board_got == [Call(71, 1, (b"still",))] and pair.host_got == []


def test_a_closed_session_is_silent() -> None:
    pair = opened()
    pair.host.send(Call(71, 1), pair.now)
    pair.host.close()
    assert pair.host.data_to_send(pair.now) == b"" and pair.host.deadline() is None
    pair.host.receive_data(b"\0garbage\0", pair.now)
    pair.host.handle_timeout(pair.now + 100)
    assert pair.host.next_event() is None
    with pytest.raises(LocalProtocolError):
        pair.host.send(Call(71, 1), pair.now)


def test_the_tuning_of_the_board_is_no_message_for_its_user() -> None:
    pair = opened()
    pair.host.sender.offer(bytes((254, 50)), first=True)
    pair.run(0.5)
    assert pair.board_got == [] and pair.board.sender._fixed == 50
    assert Tune not in {type(m) for m in pair.board_got}


@pytest.mark.parametrize(("told", "taken"), [(0, 1), (255, 240)])
def test_a_tuning_that_no_frame_can_follow_is_taken_as_far_as_one_can(told: int, taken: int) -> None:
    pair = opened()
    pair.host.sender.offer(bytes((254, told)), first=True)
    pair.run(0.5)
    assert pair.board.sender._fixed == taken
    pair.board.send(Event(1, 4, (bytes(600),)), pair.now)
    assert pair.run_until(lambda: pair.host_got, 10.0)


def test_a_failure_names_the_port() -> None:
    failed = Failed(LinkTimeout("x", port="here"))
    assert "here" in str(failed.error)
