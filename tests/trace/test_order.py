from __future__ import annotations

import random

from bridge.trace.order import Order, joined
from bridge.wire.frame import WINDOW, Frame, Kind


def frames(messages: list[bytes], size: int = 3) -> list[Frame]:
    out = []
    for message in messages:
        cuts = [message[at : at + size] for at in range(0, len(message), size)]
        for number, cut in enumerate(cuts, 1):
            out.append(Frame(Kind.LAST if number == len(cuts) else Kind.MORE, len(out) % 32, 0, payload=cut))
    return out


def test_messages_come_in_order_whatever_the_line_does() -> None:
    messages = [b"message %d" % n for n in range(40)]
    sent = frames(messages)
    rng = random.Random(3)
    order: Order[int] = Order()
    got = []
    base = 0
    while base < len(sent):
        # Anything of the window may come, at any time, and again.
        i = rng.randrange(max(0, base - WINDOW), min(base + WINDOW, len(sent)))
        part, whole = order.arrived(sent[i], i)
        assert part is not None and part.payload == sent[i].payload and part.index == i and i in part.copies
        got += [joined(each) for each in whole]
        base = order.expected
    assert got == messages and order.repeated > 20 and order.open == []


def test_parts_know_where_messages_begin() -> None:
    order: Order[None] = Order()
    [one] = [whole for frame in frames([b"abcdefg"]) for whole in order.arrived(frame, None)[1]]
    assert [part.begins for part in one] == [True, False, False]


def test_a_number_that_was_used_otherwise() -> None:
    order: Order[None] = Order()
    order.arrived(Frame(Kind.LAST, 0, 0, payload=b"one"), None)
    assert order.arrived(Frame(Kind.LAST, 0, 0, payload=b"two"), None) == (None, [])
    assert (order.repeated, order.strange) == (1, 1)


def test_what_is_missing_can_be_given_up() -> None:
    order: Order[None] = Order()
    order.arrived(Frame(Kind.LAST, 2, 0, payload=b"early"), None)
    assert [part.payload for part in order.open] == [b"early"]
    order.skip()
    [[torn, last]] = order.arrived(Frame(Kind.LAST, 3, 0, payload=b"rest"), None)[1]
    assert torn.torn and last.payload == b"rest"
    assert order.arrived(Frame(Kind.LAST, 4, 0, payload=b"whole"), None)[1][0][0].payload == b"whole"
