from __future__ import annotations

import pytest

from bridge.trace.secrets import Known
from bridge.trace.words import Words, _encoded
from bridge.wire.messages import Call, Direction, Event, Failure, Hello, Invoke, Message, Reply, Source, decode, encode
from bridge.wire.values import Handle, Opaque

KEY = b"QXZJVWK#"
STARS = b"*" * len(KEY)


def board(words: Words, *messages: Message) -> list[Message]:
    kept = words.to_board([encode(message) for message in messages])
    assert [len(data) for data in kept] == [len(encode(message)) for message in messages]
    return [decode(data, Direction.TO_BOARD) for data in kept]


def host(words: Words, message: Message) -> Message:
    kept = words.to_host(encode(message))
    assert len(kept) == len(encode(message))
    return decode(kept, Direction.TO_HOST)


def test_values_under_the_name_of_a_secret() -> None:
    words = Words(Known())
    deep = {b"wifi": {b"ssid": b"home", b"pwd": KEY, b"n": 7}, b"list": [{b"token": [KEY, True, 1.5]}]}
    kept = {b"wifi": {b"ssid": b"home", b"pwd": STARS, b"n": 7}, b"list": [{b"token": [STARS, True, 1.5]}]}
    assert board(words, Call(3, 1, (Handle(2), deep))) == [Call(3, 1, (Handle(2), kept))]
    assert host(words, Event(4, 0, (b"got", deep))) == Event(4, 0, (b"got", kept))
    assert host(words, Invoke(4, (b"password", KEY))) == Invoke(4, (b"password", STARS))
    said = b"\x05\x00\x04\xc8\x00\x0epwd='" + KEY + b"'"  # what cannot travel comes as text, and only from the board
    assert isinstance(decode(said, Direction.TO_HOST).values[0], Opaque)  # type: ignore[attr-defined]
    assert words.to_host(said) == said.replace(KEY, STARS)


def test_numbers_may_be_secrets() -> None:
    words = Words(Known())
    assert board(words, Call(3, 1, ({b"pwd": 12345678, b"port": 12345678},))) == [
        Call(3, 1, ({b"pwd": 99999999, b"port": 12345678},))
    ]
    assert host(words, Reply(9, (b"it was 12345678",))) == Reply(9, (b"it was ********",))


def test_what_is_called_with_a_secret_and_what_it_returns() -> None:
    words = Words(Known())
    define = Source(b'return wifi.sta.config or error("there is no wifi.sta.config on this board",0)')
    first, called = board(words, define, Call(9, 1, (b"home", KEY)))
    assert (first, called) == (define, Call(9, 1, (b"****", STARS)))
    assert board(words, Call(9, 2, (b"x", KEY))) == [Call(9, 2, (b"*", STARS))]
    assert host(words, Reply(2, (KEY, 7))) == Reply(2, (STARS, 7))
    assert board(words, Source(b"return print"), Call(9, 3, (b"fine",)))[1] == Call(9, 3, (b"fine",))
    assert host(words, Reply(3, (b"fine",))) == Reply(3, (b"fine",))


def test_what_reads_a_secret() -> None:
    words = Words(Known())
    source = Source(b"print('a') return wifi.sta.getconfig()")
    assert board(words, source, Call(0, 5)) == [source, Call(0, 5)]
    assert words.reading
    assert host(words, Reply(5, (b"home", KEY, 0))) == Reply(5, (b"****", STARS, 0))
    assert not words.reading
    board(words, source, Call(0, 6))
    assert host(words, Failure(6, (b"lua:1: no such thing",))) == Failure(6, (b"lua:1: no such thing",))
    assert not words.reading
    assert host(words, Reply(7, (b"the key is " + KEY,))) == Reply(7, (b"the key is " + STARS,))


def test_a_program_that_configures_keeps_no_string() -> None:
    words = Words(Known())
    program = b"local s = 'home' local k = [[" + KEY + b']] wifi.sta.config{ssid=s, pwd=k} print("done")'
    kept = board(words, Source(program[:31]), Source(program[31:]), Call(0, 1))
    text = b"".join(each.text for each in kept if isinstance(each, Source))
    assert text == program.replace(b"home", b"****").replace(b"pwd=k", b"pwd=*").replace(KEY, STARS).replace(
        b"done", b"****"
    )
    assert host(words, Reply(1, (KEY,))) == Reply(1, (STARS,))


def test_what_goes_on() -> None:
    words = Words(Known())
    assert words.goes_on(encode(Source(b"x")), began=False) and words.goes_on(encode(Source(b"x")), began=True)
    assert not words.goes_on(encode(Call(0, 1)), began=True)
    assert not words.goes_on(b"\xfe\x10\x10", began=False) and words.goes_on(b"\xfe\x10\x10", began=True)


def test_what_cannot_be_read_is_looked_through() -> None:
    words = Words(Known())
    garbage = b"\x63pwd='" + KEY + b"'"
    assert words.to_host(garbage) == b"\x63pwd='" + STARS + b"'"
    hello = encode(Hello(b"12345678", (26000, b"Lua 5.1")))
    assert words.to_host(hello) == hello


def test_one_handle_s_words_go_on_and_another_s_do_not() -> None:
    words = Words(Known())
    host(words, Event(2, 4, (b"password=QX",)))
    assert host(words, Event(3, 4, (b"other data",))) == Event(3, 4, (b"other data",))
    assert host(words, Event(2, 4, (b"ZJVW&x=1",))) == Event(2, 4, (b"****&x=1",))
    for handle in range(100, 200):  # as many contexts as one likes
        host(words, Event(handle, 4, (b"x",)))


@pytest.mark.parametrize("number", [b"1.50", b"0.10000000000000001", b"1e3"])
def test_numbers_that_a_board_writes_otherwise_than_we(number: bytes) -> None:
    # As a board may write it: an exact text that is not the shortest.
    data = b"\x02\x05\xc4" + len(number).to_bytes(2, "big") + number + b"\xc7\x00\x01\x43pwd\x48" + KEY
    kept = Words(Known()).to_host(data)
    assert kept == data.replace(KEY, STARS)


def test_the_last_way_out_keeps_opcode_and_length() -> None:
    message = Reply(5, (float("nan"), KEY))  # equal to nothing, so that nothing can be proven
    data = b"\x02\x05\xc4\x00\x03nan\x48" + KEY
    kept = _encoded(data, Reply(5, (float("nan"), STARS)), message)
    assert len(kept) == len(data) and kept[:2] == data[:2] and KEY[:3] not in kept
