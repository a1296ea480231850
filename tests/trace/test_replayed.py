from __future__ import annotations

from bridge.errors import BoardReset
from bridge.trace.replayed import Event, Replay, SessionReplay
from bridge.wire.events import ConsoleText, Failed, MessageReceived, Opened
from bridge.wire.messages import Call, Reply


def test_what_is_told_of_sessions_one_by_one_and_together() -> None:
    error = BoardReset()
    first, second = SessionReplay(1, "crc", 0, 9, damaged=2), SessionReplay(2, "crc", 9, 12, damaged=3)
    first.events += [
        Event(0.0, True, Opened()),
        Event(0.1, True, MessageReceived(Reply(1))),
        Event(0.1, False, MessageReceived(Call(0, 1))),
        Event(0.2, True, ConsoleText(b"one ")),
        Event(0.2, False, ConsoleText(b"typed")),
        Event(0.3, True, Failed(error)),
    ]
    second.events += [Event(1.0, True, ConsoleText(b"two")), Event(1.1, True, MessageReceived(Reply(2)))]
    played = Replay((first, second))
    assert (first.messages, first.sent, first.console, first.failure) == ([Reply(1)], [Call(0, 1)], b"one ", error)
    assert (second.failure, second.sent) == (None, [])
    assert (played.messages, played.sent) == ([Reply(1), Reply(2)], [Call(0, 1)])
    assert (played.console, played.damaged) == (b"one two", 5)
