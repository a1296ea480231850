from __future__ import annotations

from bridge.trace.secrets import Known
from bridge.trace.words import Words, _encoded
from bridge.wire.messages import (
    Call,
    DirectCall,
    Direction,
    Event,
    Failure,
    Hello,
    Invoke,
    Message,
    Reply,
    Source,
    Tune,
    decode,
    encode,
)
from bridge.wire.values import Handle, Opaque, Tag

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
    assert board(words, Call(73, 1, (Handle(2), deep))) == [Call(73, 1, (Handle(2), kept))]
    assert host(words, Event(4, 0, (b"got", deep))) == Event(4, 0, (b"got", kept))
    assert host(words, Invoke(4, 0, (b"password", KEY))) == Invoke(4, 0, (b"password", STARS))
    # What cannot travel comes as text, and only from the board.
    said = encode(Invoke(4, 0, (b"pwd='" + KEY + b"'",))).replace(bytes((Tag.STRING,)), bytes((Tag.OPAQUE,)), 1)
    assert isinstance(decode(said, Direction.TO_HOST).values[0], Opaque)  # type: ignore[attr-defined]
    assert words.to_host(said) == said.replace(KEY, STARS)


def test_numbers_may_be_secrets() -> None:
    words = Words(Known())
    assert board(words, Call(73, 1, ({b"pwd": 12345678, b"port": 12345678},))) == [
        Call(73, 1, ({b"pwd": 99999999, b"port": 12345678},))
    ]
    assert host(words, Reply(9, (b"it was 12345678",))) == Reply(9, (b"it was ********",))


def test_what_is_called_with_a_secret_and_what_it_returns() -> None:
    words = Words(Known())
    define = Source(b'return wifi.sta.config or error("there is no wifi.sta.config on this board",0)')
    first, called = board(words, define, Call(79, 1, (b"home", KEY)))
    assert (first, called) == (define, Call(79, 1, (b"****", STARS)))
    assert board(words, Call(79, 2, (b"x", KEY))) == [Call(79, 2, (b"*", STARS))]
    assert host(words, Reply(2, (KEY, 7))) == Reply(2, (STARS, 7))
    assert board(words, Source(b"return print"), Call(79, 3, (b"fine",)))[1] == Call(79, 3, (b"fine",))
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
    assert not words.goes_on(encode(DirectCall(3, 1)), began=True)
    assert not words.goes_on(encode(Tune(16)), began=False) and words.goes_on(encode(Tune(16)), began=True)


def test_what_cannot_be_read_is_looked_through() -> None:
    words = Words(Known())
    garbage = b"\xc8pwd='" + KEY + b"'"
    assert words.to_host(garbage) == b"\xc8pwd='" + STARS + b"'"
    hello = encode(Hello(b"12345678", (26000, b"Lua 5.1")))
    assert words.to_host(hello) == hello


def test_one_handle_s_words_go_on_and_another_s_do_not() -> None:
    words = Words(Known())
    host(words, Event(2, 4, (b"password=QX",)))
    assert host(words, Event(3, 4, (b"other data",))) == Event(3, 4, (b"other data",))
    assert host(words, Event(2, 4, (b"ZJVW&x=1",))) == Event(2, 4, (b"****&x=1",))
    for handle in range(100, 200):  # as many contexts as one likes
        host(words, Event(handle, 4, (b"x",)))


def test_the_agent_s_own_functions_get_bytes() -> None:
    words = Words(Known())
    send = b"\x00\x02Authorization: Basic " + KEY + b"\r\n"
    assert board(words, DirectCall(5, 1, send)) == [DirectCall(5, 1, send.replace(b"Basic " + KEY, b"******" + STARS))]
    assert board(words, DirectCall(5, 0, b"\x00\x02pwd=QX"), DirectCall(5, 0, b"\x00\x02ZJVW&a=1")) == [
        DirectCall(5, 0, b"\x00\x02pwd=**"), DirectCall(5, 0, b"\x00\x02****&a=1")
    ]  # fmt: skip


def test_an_answer_that_the_board_puts_aside() -> None:
    words = Words(Known())
    board(words, Source(b"return {wifi.sta.getconfig()}"), Call(0, 5))
    aside = encode(Reply(5, (Handle(300),))).replace(bytes((Tag.HANDLE,)), bytes((Tag.ASIDE,)))
    assert words.to_host(aside) == aside
    board(words, DirectCall(7, 6, (299).to_bytes(2, "big")), DirectCall(7, 8, (300).to_bytes(2, "big")))
    assert host(words, Reply(6, ([b"home", KEY],))) == Reply(6, ([b"home", KEY],))
    assert host(words, Reply(8, ([b"home", KEY],))) == Reply(8, ([b"****", STARS],))


def test_numbers_that_a_board_writes_otherwise_than_we() -> None:
    ours = encode(Reply(5, (1250.0, {b"pwd": KEY})))
    # As a board may write it: an exact text that is not the shortest.
    theirs = ours.replace(b"1250.0", b"1.25e3")
    assert Words(Known()).to_host(theirs) == theirs.replace(KEY, STARS)


def test_the_last_way_out_keeps_kind_number_and_length() -> None:
    message = Reply(5, (float("nan"), KEY))  # equal to nothing, so that nothing can be proven
    data = encode(Reply(5, (250, KEY))).replace(b"250", b"nan")
    kept = _encoded(data, Reply(5, (object(), STARS)), message)
    assert len(kept) == len(data) and KEY[:3] not in kept
    hidden = decode(kept, Direction.TO_HOST)
    assert isinstance(hidden, Reply) and hidden.call_id == 5 and set(hidden.values[0]) == {ord("*")}
