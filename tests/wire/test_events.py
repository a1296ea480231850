from bridge.wire.events import ConsoleText, Failed, MessageReceived, Opened, SessionEvent
from bridge.wire.messages import Hello
from tests.wire.session_pair import SessionPair


def test_a_session_reports_its_opening_before_the_first_message() -> None:
    pair = SessionPair()
    pair.board.send(Hello(b"12345678"), 0.0)
    data = pair.board.data_to_send(0.0)
    pair.host.receive_data(b"some text\r\n" + data, 0.1)
    assert [pair.host.next_event() for _ in range(4)] == [
        ConsoleText(b"some text\r\n"), Opened(), MessageReceived(Hello(b"12345678")), None,
    ]  # fmt: skip


def test_all_reports_have_one_base() -> None:
    assert {kind.__base__ for kind in (ConsoleText, Failed, MessageReceived, Opened)} == {SessionEvent}
