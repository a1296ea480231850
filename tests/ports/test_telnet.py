from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.ports.telnet import COM_PORT, DO, DONT, IAC, SB, SE, WILL, WONT, Answer, Command, Telnet, escape


def test_what_it_offers_and_asks_for() -> None:
    telnet = Telnet()
    telnet.start()
    verbs = {(telnet.output[i + 1], telnet.output[i + 2]) for i in range(0, len(telnet.output), 3)}
    assert verbs == {(WILL, 0), (WILL, 3), (WILL, COM_PORT), (DO, 0), (DO, 3)}


def test_it_answers_only_what_changes_something() -> None:
    telnet = Telnet()
    telnet.start()
    telnet.output.clear()
    telnet.feed(bytes((IAC, DO, 0, IAC, WILL, 0, IAC, DO, COM_PORT)))
    assert not telnet.output and telnet.accepted
    telnet.feed(bytes((IAC, WILL, 1, IAC, DO, 24, IAC, WILL, 5)))
    assert bytes(telnet.output) == bytes((IAC, DO, 1, IAC, WONT, 24, IAC, DONT, 5))
    telnet.output.clear()
    telnet.feed(bytes((IAC, WONT, 24, IAC, WILL, 1, IAC, WONT, 1)))
    assert bytes(telnet.output) == bytes((IAC, DONT, 1))


def test_refusal() -> None:
    telnet = Telnet()
    telnet.start()
    telnet.feed(bytes((IAC, DONT, COM_PORT)))
    assert telnet.refused and not telnet.accepted


def test_a_server_that_only_says_will_is_good_enough() -> None:
    telnet = Telnet()
    telnet.start()
    telnet.feed(bytes((IAC, WILL, COM_PORT)))
    assert telnet.accepted


def test_answers_with_doubled_bytes_inside() -> None:
    telnet = Telnet()
    data = telnet.feed(b"a" + bytes((IAC, SB, COM_PORT, 101, 0, 255, 255, 1, 2, IAC, SE)) + b"b")
    assert data == b"ab"
    assert telnet.answers == [Answer(Command.SET_BAUDRATE, bytes((0, 255, 1, 2)))]
    assert telnet.answers[0].number == 0x00FF0102


def test_baud_doubles_255() -> None:
    telnet = Telnet()
    telnet.baud(0xFF)
    assert bytes(telnet.output) == bytes((IAC, SB, COM_PORT, 1, 0, 0, 0, 255, 255, IAC, SE))


def test_suspend_and_resume() -> None:
    telnet = Telnet()
    telnet.feed(bytes((IAC, SB, COM_PORT, 108, 0, IAC, SE)))
    assert telnet.suspended
    telnet.feed(bytes((IAC, SB, COM_PORT, 109, 0, IAC, SE)))
    assert not telnet.suspended


def test_what_it_does_not_know_is_passed_over() -> None:
    telnet = Telnet()
    junk = bytes((IAC, SB, 7, 1, IAC, SE, IAC, SB, COM_PORT, 250, 1, IAC, SE, IAC, SB, IAC, SE, IAC, 241))
    assert telnet.feed(junk + b"x") == b"x"
    assert telnet.answers == [] and not telnet.output


@given(st.binary(), st.lists(st.integers(0, 400)))
def test_data_survives_any_division(data: bytes, cuts: list[int]) -> None:
    wire = escape(data) + bytes((IAC, SB, COM_PORT, 107, 16, IAC, SE))
    telnet = Telnet()
    got = b""
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    for start, end in zip(edges, edges[1:], strict=False):
        got += telnet.feed(wire[start:end])
    assert got == data


@given(st.binary())
def test_anything_may_come(data: bytes) -> None:
    Telnet().feed(data)
