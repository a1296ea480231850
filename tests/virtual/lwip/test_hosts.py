"""The hosts table."""

from __future__ import annotations

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.hosts import answer_from_table
from bridge.virtual.lwip.segment import Datagram


def test_names_of_the_table_are_answered_whatever_their_case_and_nothing_else_is() -> None:
    table = {b"ok.test": 7}

    def ask(name: bytes, port: int = 53) -> Datagram | None:
        return answer_from_table(Datagram(1, 5000, 2, port, dns_message.query(9, name)), table)

    answer = ask(b"OK.test")
    assert answer is not None and (answer.source, answer.source_port, answer.target, answer.target_port) == (
        2,
        53,
        1,
        5000,
    )
    assert dns_message.read_answer(answer.data, b"OK.test").address == 7
    assert ask(b"no.test") is None and ask(b"ok.test", port=5353) is None
    assert answer_from_table(Datagram(1, 2, 3, 53, b"junk"), table) is None
