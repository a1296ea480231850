from __future__ import annotations

import logging

import pytest

from bridge.wire.log import MessageLog
from bridge.wire.messages import Call, Message, Reply


class Upper:
    """Tells a reply by another number, and of calls every second one, with the one before."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self.calls: list[Message] = []

    def sent(self, message: Message) -> list[Message]:
        self.calls.append(message)
        return self.calls if len(self.calls) == 2 else []

    def came(self, message: Message) -> Message:
        return Reply(100 + self.whole)


def test_what_is_told_is_what_discretion_leaves(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bridge.wire")
    log = MessageLog("port", Upper)
    log.sent(Call(64, 1), 1.0)
    log.sent(Call(64, 2), 2.0)
    log.came(Reply(3), 3.0)
    assert [record.getMessage() for record in caplog.records] == [
        "port > 2.000000 CALL 64 1", "port > 2.000000 CALL 64 2", "port < 3.000000 REPLY 101"
    ]  # fmt: skip


def test_discretion_knows_whether_it_hears_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bridge.wire")
    log = MessageLog("port", Upper)
    log.came(Reply(1), 1.0)
    assert not caplog.records
    caplog.set_level(logging.DEBUG, "bridge.wire")
    log.came(Reply(1), 1.0)
    assert caplog.messages == ["port < 1.000000 REPLY 100"]


def test_without_discretion_messages_are_told_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bridge.wire")
    log = MessageLog("port")
    log.sent(Call(64, 1), 1.0)
    log.came(Reply(1, (b"x",)), 2.0)
    assert caplog.messages == ["port > 1.000000 CALL 64 1", "port < 2.000000 REPLY 1 b'x'"]
