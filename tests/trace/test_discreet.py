from __future__ import annotations

from bridge.trace.discreet import DiscreetMessages
from bridge.wire.messages import Call, Message, Reply, Source
from bridge.wire.values import Aside, Opaque

KEY = b"QXZJVWK#"
STARS = b"*" * len(KEY)


def test_source_is_told_with_its_call_and_the_answer_knows_what_it_is_to() -> None:
    discreet = DiscreetMessages(True)
    pieces = [Source(b"return wifi.sta.get"), Source(b"config()")]
    assert [discreet.sent(piece) for piece in pieces] == [[], []]
    call = Call(0, 7)
    assert discreet.sent(call) == [*pieces, call]
    assert discreet.came(Reply(7, (b"home", KEY))) == Reply(7, (b"****", STARS))
    assert discreet.came(Reply(8, (b"x" + KEY,))) == Reply(8, (b"x" + STARS,)), "known from now on"


def test_who_comes_late_takes_what_it_does_not_know_for_secret() -> None:
    late, early = DiscreetMessages(False), DiscreetMessages(True)
    call, reply = Call(64, 1), Reply(1, (KEY,))
    late.sent(call), early.sent(call)
    assert late.came(reply) == Reply(1, (STARS,)) and early.came(reply) == reply
    known: list[Message] = [Source(b"return 1"), Call(65, 2)]
    for message in known:
        late.sent(message)
    assert late.came(Reply(2, (b"plain",))) == Reply(2, (b"plain",))


def test_what_only_a_board_can_say_is_told_too() -> None:
    discreet = DiscreetMessages(True)
    discreet.sent(Call(64, 1))
    reply = Reply(1, (Aside(7), Opaque(b"light function: 0x40"), [Opaque(b"thread")]))
    assert discreet.came(reply) == reply
