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


def test_it_knows_where_messages_begin() -> None:
    order: Order[None] = Order()
    first, *others = [order.arrived(frame, None)[0] for frame in frames([b"abcdefg", b"hi", b"j"])]
    assert [order.begins(part) for part in (first, *others) if part] == [True, False, False, True, True]
    early, _ = order.arrived(Frame(Kind.LAST, 9, 0, payload=b"x"), None)
    assert early is not None and not order.begins(early)


def test_a_number_that_was_used_otherwise() -> None:
    order: Order[None] = Order()
    order.arrived(Frame(Kind.LAST, 0, 0, payload=b"one"), None)
    assert order.arrived(Frame(Kind.LAST, 0, 0, payload=b"two"), None) == (None, [])
    assert (order.repeated, order.strange) == (1, 1)


def test_what_the_other_side_has_taken_is_not_waited_for() -> None:
    order: Order[None] = Order()
    order.arrived(Frame(Kind.MORE, 0, 0, payload=b"begun "), None)
    for seq in (2, 5):
        order.arrived(Frame(Kind.LAST, seq, 0, payload=b"early"), None)
    assert [part.index for part in order.open] == [0, 2, 5]
    assert order.missed(0) == order.missed(1) == [] and not order.lacks(1), "as far as one knows oneself"
    assert order.lacks(2) and not order.lacks(20)
    assert [part.index for part in order.missed(4)] == [0, 2]
    [[torn, last], [whole]] = order.arrived(Frame(Kind.LAST, 4, 0, payload=b"rest"), None)[1]
    assert torn.torn and (last.payload, whole.payload) == (b"rest", b"early")
    assert order.missed(3) == [], "an old acknowledgement"
