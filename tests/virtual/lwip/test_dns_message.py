"""Queries and answers, byte for byte."""

from __future__ import annotations

from bridge.virtual.lwip import dns_message

QUERY = bytes.fromhex("1234 0100 0001 0000 0000 0000 026f6b 0474657374 00 0001 0001")


def test_a_query_is_what_the_board_sends() -> None:
    assert dns_message.query(0x1234, b"ok.test") == QUERY
    assert dns_message.asked_name(QUERY) == b"ok.test"


def test_an_answer_is_read_back() -> None:
    message = dns_message.respond(QUERY, [0x0A4D0001, 0x0A4D0009], ttl=7)
    assert dns_message.read_identifier(message) == 0x1234
    answer = dns_message.read_answer(message, b"ok.test")
    assert (answer.ok, answer.same_name, answer.address, answer.ttl) == (True, True, 0x0A4D0001, 7)


def test_records_of_other_kinds_are_skipped() -> None:
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\x05\0\4\1x\xc0\x0f"
    a_record = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4\x0a\0\0\1"
    message = QUERY[:2] + b"\x81\x80\0\1\0\2\0\0\0\0" + QUERY[12:] + alias + a_record
    assert dns_message.read_answer(message, b"ok.test").address == 0x0A000001


def test_errors_wrong_names_and_empty_answers_are_told_apart() -> None:
    assert not dns_message.read_answer(dns_message.respond(QUERY, [], code=3), b"ok.test").ok
    wrong = dns_message.read_answer(dns_message.respond(QUERY, [1]), b"no.test")
    assert wrong.ok and not wrong.same_name
    empty = dns_message.read_answer(dns_message.respond(QUERY, []), b"ok.test")
    assert empty.ok and empty.same_name and empty.address is None


def test_what_is_too_small_or_too_big_is_not_looked_at() -> None:
    assert dns_message.read_identifier(QUERY[:25]) is None
    assert dns_message.read_identifier(QUERY.ljust(513, b"\0")) is None
    assert dns_message.asked_name(QUERY[:14]) is None


def test_a_damaged_answer_ends_in_no_address() -> None:
    message = QUERY[:2] + b"\x81\x80\0\1\0\xff\0\0\0\0" + QUERY[12:] + b"\xc0\x0c\0\5\0\1\0\0\0\x05\xff\xff"
    assert dns_message.read_answer(message, b"ok.test").address is None
