"""Secrets on a line that damages bytes, retransmits and cuts: none is kept, and all else is as it was."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.trace import replay
from bridge.trace.elision import DOUBT_SECONDS, FRAME_SECONDS, HELD_BYTES, HELD_SECONDS, SILENCE, Elider
from bridge.trace.file import Record
from bridge.trace.pieces import Chunk
from bridge.wire.frame import Frame, Kind
from bridge.wire.messages import Call, Event, EventCode, Failure, Message, Reply, Source, encode
from bridge.wire.values import Handle
from tests.trace.leaks import assert_no_leak
from tests.trace.tapped_pair import CODEC, TappedPair
from tests.wire.session_pair import Damage

#: Bytes that occur nowhere else, so that a piece of a secret is known when it is seen.
ALPHABET = b"QXZJVWK#@%"
Play = tuple[list[Message], list[Message], bytes, Damage, Damage]
secrets = st.lists(st.sampled_from(ALPHABET), min_size=8, max_size=63).map(bytes)


def kept(elider: Elider) -> bytes:
    return b"".join(item.kept for item in elider.take() if isinstance(item, Chunk))


def in_source(secret: bytes) -> list[list[Message]]:
    """Ways to send a secret in source, each ended by a call."""
    program = b"local x = 1 wifi.setmode(wifi.STATION) local c = {ssid='home', pwd='" + secret + b"'} return x"
    plain = b"local k = [[" + secret + b"]] wifi.sta.config{ssid='home', pwd=k}"
    cut = len(program) - len(secret) // 2 - 10
    return [
        [Source(program), Call(0, 1, ())],
        [Source(program[:cut]), Source(program[cut:]), Call(0, 2, ())],
        [Source(plain[:20]), Source(plain[20:]), Call(0, 3, ())],
        [Source(b"return wifi.sta.config"), Call(79, 4, ({b"ssid": b"home", b"pwd": secret},)), Call(79, 5, (secret,))],
    ]


def to_board(secret: bytes) -> list[list[Message]]:
    return [
        *in_source(secret),
        [Call(73, 0, (Handle(2), b"GET / HTTP/1.1\r\nAuthorization: Basic " + secret + b"\r\n\r\n"))],
        [Call(73, 0, (Handle(2), b"user=me&password=" + secret[:5])), Call(73, 0, (Handle(2), secret[5:] + b"&x=1"))],
        [Call(74, 6, (b"key.pem", b"-----BEGIN RSA PRIVATE KEY-----\n" + secret)), Call(74, 7, (b"key.pem", secret))],
        [Call(75, 8, ("password", secret, [{"token": [secret, 5]}], 12))],
    ]


def to_host(secret: bytes) -> list[list[Message]]:
    return [
        [Reply(40, ({b"ssid": b"home", b"pwd": secret}, 12, None))],
        [Event(2, EventCode.RECEIVE, (b'{"token": "' + secret + b'", "n": 1}',))],
        [Event(2, EventCode.RECEIVE, (b"secret=" + secret[:6],)), Event(2, EventCode.RECEIVE, (secret[6:] + b"\r\n",))],
        [Failure(41, (b'lua:1: bad pwd = "' + secret + b'"',))],
        [Reply(42, (b"-----BEGIN PRIVATE KEY-----\n" + secret * 30 + b"\n-----END PRIVATE KEY-----",))],
    ]


@st.composite
def plays(draw: st.DrawFn) -> Play:
    """What both sides send, with secrets in between, and how bad the line is."""
    secret = draw(secrets)
    chatter: list[Message] = [Call(77, 0, (n, b"chatter %d" % n)) for n in range(draw(st.integers(0, 12)))]
    back: list[Message] = [Event(3, EventCode.SENT, (b"n" * n,)) for n in range(draw(st.integers(0, 12)))]
    out = chatter + [m for group in draw(st.lists(st.sampled_from(to_board(secret)), max_size=4)) for m in group]
    back += [m for group in draw(st.lists(st.sampled_from(to_host(secret)), max_size=4)) for m in group]
    rates = st.sampled_from([0.0, 0.001, 0.01, 0.03])
    bad = [
        Damage(draw(rates), draw(rates), draw(st.sampled_from([0.0, 0.01])), draw(st.integers(0, 999))) for _ in "12"
    ]
    return out, back, secret, bad[0], bad[1]


def play(out: list[Message], back: list[Message], there: Damage, here: Damage) -> TappedPair:
    pair = TappedPair(to_board=there, to_host=here)
    # The board speaks first: the host is silent until it has heard a frame.
    pair.board.send(Event(0, EventCode.CONNECTION), 0.0)
    for message in out:
        pair.host.send(message, 0.0)
    for message in back:
        pair.board.send(message, 0.0)
    pair.run_until(lambda: len(pair.board_got) == len(out) and len(pair.host_got) == 1 + len(back), 60.0)
    if not pair.failed:
        pair.run(0.5)
    return pair


def hidden(message: Message, secret: bytes) -> str:
    """A message without what is secret, as text: what must survive."""
    text = repr(message)
    for byte in secret:
        text = text.replace(chr(byte), "*")
    return text


# Shrinking would take minutes: a play that fails is small enough to be played again.
quick = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)


@quick
@given(plays())
def test_no_secret_is_kept_and_the_replay_is_true(made: Play) -> None:
    check(made)


@pytest.mark.nightly
@settings(quick, max_examples=2000, derandomize=False)
@given(plays())
def test_no_secret_is_kept_in_many_plays(made: Play) -> None:
    check(made)


def check(made: Play) -> None:
    out, back, secret, there, here = made
    pair = play(out, back, there, here)
    trace = pair.trace()
    assert_no_leak(trace, secret)
    # As many bytes in the same pieces at the same times.
    data = [record for record in trace.records if record.data]
    assert [(r.t, r.mark, len(r.data)) for r in data] == [(t, mark, len(raw)) for t, mark, raw in pair.raw if raw]
    # A line may be so bad that a session gives up, or that a message is held too long and blanked.
    if pair.failed or pair.now > HELD_SECONDS or sum(len(raw) for _, _, raw in pair.raw) > HELD_BYTES:
        return
    assert len(pair.board_got) == len(out)
    played = replay(trace)
    # Where damage was blanked, a later frame does not resemble it, and a short piece may pass for what it was not.
    blanked = sum(
        segment.elided and segment.frame is None and segment.to_host for segment in played.sessions[0].segments
    )
    assert abs(played.damaged - pair.host.damaged) <= (blanked + 3) // 4
    assert len(played.messages) == len(pair.host_got) and len(played.sent) == len(pair.board_got)
    for then, now in zip(pair.host_got + pair.board_got, played.messages + played.sent, strict=True):
        if not set(secret) & set(repr(then).encode()) and "config" not in repr(then) and "ssid" not in repr(then):
            assert then == now


def test_what_holds_no_secret_is_kept_byte_for_byte() -> None:
    out: list[Message] = [Call(77, 0, (n, random.Random(n).randbytes(200))) for n in range(60)]
    back: list[Message] = [Event(3, EventCode.RECEIVE, (random.Random(n).randbytes(100),)) for n in range(60)]
    pair = play(out, back, Damage(flip=0.002, seed=1), Damage(drop=0.002, flip=0.002, seed=2))
    assert pair.host.damaged > 5
    trace = pair.trace()
    different = [
        (record.t, record.data)
        for record, (_, _, raw) in zip((r for r in trace.records if r.data), (r for r in pair.raw if r[2]), strict=True)
        if record.data != raw
    ]
    # Damage that came last is not known to be harmless.
    end = max(record.t for record in trace.records)
    assert all(end - t < 1.5 for t, _ in different), different
    assert len(different) < pair.host.damaged


def frame(message: Message, seq: int, *, to_host: bool, kind: Kind = Kind.LAST) -> bytes:
    return CODEC.encode(Frame(kind, seq, 0, payload=encode(message)), to_host=to_host)


SECRET = b"QXZJVWK#QXZJ"
CONFIG = Call(79, 4, ({b"ssid": b"home", b"pwd": SECRET},))


def test_retransmissions_are_elided_alike() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    first = frame(CONFIG, 0, to_host=False)
    again = CODEC.encode(Frame(Kind.LAST, 0, 3, poll=True, payload=encode(CONFIG)), to_host=False)
    for t, data in enumerate((first, again, b"\0" + first)):
        elider.feed(data, float(t), to_host=False)
    streams = [item.kept for item in elider.take() if isinstance(item, Chunk)]
    frames = [CODEC.decode(stream.strip(b"\0"), to_host=False) for stream in streams]
    assert all(frames) and len({each.payload for each in frames if each}) == 1
    assert [each.ack for each in frames if each] == [0, 3, 0]
    assert all(SECRET[:5] not in stream for stream in streams)


def test_a_damaged_frame_is_blanked_when_its_good_copy_holds_a_secret() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    good = frame(Reply(4, ({b"pwd": SECRET},)), 0, to_host=True)
    bad = good.replace(b"pwd", b"pXd").replace(b"VWK", b"VwK")
    elider.feed(bad, 0.0, to_host=True)
    elider.feed(good, 0.1, to_host=True)
    for seq in range(1, 20):
        elider.feed(frame(Reply(4, (seq,)), seq, to_host=True), 0.1 + seq / 100, to_host=True)
    [first, *_] = [item for item in elider.take() if isinstance(item, Chunk)]
    assert first.kept[0] == first.kept[-1] == 0 and len(first.kept) == len(bad) and first.elided == len(bad) - 2
    assert SECRET[:4] not in first.kept and CODEC.decode(first.kept.strip(b"\0")) is None


def test_a_damaged_frame_among_harmless_ones_is_kept() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    bad = frame(Reply(4, (b"some data",)), 0, to_host=True).replace(b"some", b"s\xefme")
    elider.feed(bad, 0.0, to_host=True)
    assert not elider.take()
    for seq in range(16):
        elider.feed(frame(Reply(4, (seq,)), seq, to_host=True), seq / 100, to_host=True)
    assert kept(elider).startswith(bad)


def test_what_nothing_follows_is_blanked_in_time() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    bad = frame(Reply(4, (b"some data",)), 0, to_host=True).replace(b"some", b"s\xefme")
    elider.feed(bad, 1.0, to_host=True)
    assert elider.deadline() == 1.0 + DOUBT_SECONDS and not elider.take()
    elider.handle_timeout(1.0 + DOUBT_SECONDS)
    assert b"data" not in kept(elider) and elider.deadline() is None


def test_a_frame_whose_closing_nul_was_lost() -> None:
    for end in ("more", "deadline", "close"):
        elider = Elider()
        elider.begin(CODEC, 0.0)
        last = frame(Reply(4, (b"data", {b"pwd": SECRET})), 0, to_host=True).rstrip(b"\0")
        elider.feed(last, 1.0, to_host=True)
        match end:
            case "more":
                elider.feed(b"\r\n> ", 1.0 + SILENCE, to_host=True)
            case "deadline":
                elider.handle_timeout(1.0 + FRAME_SECONDS)
            case "close":
                elider.flush(1.2)
        found = CODEC.decode(kept(elider).removeprefix(b"\0")[: len(last) - 1])
        assert found is not None and found.payload == encode(Reply(4, (b"data", {b"pwd": b"*" * len(SECRET)})))


def test_a_frame_that_a_nul_cuts_in_two() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    elider.feed(b"\0\x01\x03 \x02\x01g" + SECRET[:3] + b"\0" + SECRET[3:] + b" and more\r\n\0", 1.0, to_host=True)
    assert not elider.take()
    elider.flush(1.5)
    assert SECRET[3:7] not in kept(elider)


def test_lines_between_frames_on_a_bad_line() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    elider.feed(b"\0\xfe\xfd\xfc\xfb\0", 1.0, to_host=True)
    good = [frame(Reply(1, (seq,)), seq, to_host=True) for seq in range(16)]
    elider.feed(good[0] + b"a line\r\n" + good[1] + b"no line" + b"".join(good[2:]), 1.1, to_host=True)
    elider.flush(5.0)
    data = kept(elider)
    assert b"a line\r\n" in data and b"no line" not in data and data.count(b"*") >= len("no line")


def test_a_frame_behind_the_rest_of_another_one() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    whole = frame(Reply(4, (b"data",)), 0, to_host=True).lstrip(b"\0")  # its first NUL was lost
    elider.feed(b"\0\xfe\xfd", 1.0, to_host=True)
    elider.feed(whole, 1.0 + SILENCE, to_host=True)
    elider.flush(1.2)
    data = kept(elider)
    assert len(data) == 3 + len(whole) and data.endswith(whole) and data[1:3] == b"\xff\xff"


def test_a_frame_without_its_nul_that_is_acknowledged() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    last = frame(Reply(4, (b"data",)), 0, to_host=True).rstrip(b"\0")
    elider.feed(last, 1.0, to_host=True)
    acknowledgement = CODEC.encode(Frame(Kind.BARE, 0, 1))
    elider.feed(acknowledgement, 1.0 + SILENCE - 1e-9, to_host=False)
    assert kept(elider) == last + acknowledgement


def test_half_a_frame_is_held_and_a_prompt_is_not_held_for_long() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    whole = frame(Reply(4, (b"some data",)), 0, to_host=True)
    elider.feed(whole[:6], 1.0, to_host=True)
    elider.feed(whole[6:], 1.1, to_host=True)
    assert kept(elider) == whole
    elider.feed(b"\r\n> ", 2.0, to_host=True)
    assert elider.deadline() == 2.0 + FRAME_SECONDS
    elider.handle_timeout(2.0 + FRAME_SECONDS)
    assert kept(elider) == b"\r\n> "


def test_a_message_that_never_becomes_whole_is_blanked() -> None:
    for end in ("deadline", "close", "size"):
        elider = Elider()
        elider.begin(CODEC, 0.0)
        part = Frame(Kind.MORE, 0, 0, payload=encode(Source(b"pwd='" + SECRET)))
        elider.feed(CODEC.encode(part), 1.0, to_host=False)
        assert not elider.take()
        match end:
            case "deadline":
                assert elider.deadline() == 1.0 + HELD_SECONDS
                elider.handle_timeout(1.0 + HELD_SECONDS)
            case "close":
                elider.flush(1.5)
            case "size":
                for _ in range(HELD_BYTES // 1000 + 2):
                    elider.feed(b"x" * 1000, 1.0, to_host=True)
        [first, *_] = [item for item in elider.take() if isinstance(item, Chunk)]
        found = CODEC.decode(first.kept.strip(b"\0"), to_host=False)
        assert found is not None and dataclasses.replace(found, payload=b"") == dataclasses.replace(part, payload=b"")
        assert SECRET[:4] not in found.payload and len(found.payload) == len(part.payload)


def test_what_the_host_has_taken_and_this_has_not_is_not_waited_for() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    for seq in range(1, 4):  # 0 was not seen: it paused longer than a frame does
        elider.feed(frame(Reply(4, ({b"pwd": SECRET},)), seq, to_host=True), 1.0, to_host=True)
    assert not elider.take()
    elider.feed(CODEC.encode(Frame(Kind.BARE, 0, 4)), 1.1, to_host=False)
    assert SECRET[:4] not in kept(elider) and elider.deadline() is None
    # Where one does not know where a message begins, the first one to end is blanked as well.
    elider.feed(frame(Reply(4, ({b"pwd": SECRET},)), 4, to_host=True), 2.0, to_host=True)
    harmless = frame(Reply(5, (b"fine",)), 5, to_host=True)
    elider.feed(harmless, 2.0, to_host=True)
    data = kept(elider)
    assert SECRET[:4] not in data and data.endswith(harmless)


@pytest.mark.parametrize("text", [b'pwd = "%s"', b"password\t%s", b'{"token":"%s"}', b"wifi.sta.config('home','%s')"])
def test_what_is_typed_and_what_is_printed_in_any_pieces(text: bytes) -> None:
    line = text % SECRET + b"\r\n"
    for size in (1, 3, 7, 100):
        elider = Elider()
        for to_host in (False, True):
            for at in range(0, len(line), size):
                elider.feed(line[at : at + size], 0.0, to_host=to_host)
        data = kept(elider)
        assert len(data) == 2 * len(line) and SECRET[:4] not in data and data.startswith(text[:5])


def test_an_echo_that_the_line_has_damaged() -> None:
    elider = Elider()
    elider.feed(b'pwd="' + SECRET + b'"\r\n', 0.0, to_host=False)
    elider.feed(b'p\xf7d="' + SECRET[:6] + b"\xff" + SECRET[7:] + b'"\r\n> ', 0.1, to_host=True)
    assert SECRET[:4] not in kept(elider) and elider.deadline() is None


def test_what_the_prompt_says_when_it_is_asked_for_the_configuration() -> None:
    elider = Elider()
    elider.feed(b"=wifi.sta.getconfig()\r\n", 0.0, to_host=False)
    elider.feed(b"home\t" + SECRET + b"\t0\t00:00:00:00:00:00\r\n> ", 0.1, to_host=True)
    elider.feed(b"print(1)\r\n", 5.0, to_host=False)
    elider.feed(b"1\r\n> ", 5.0, to_host=True)
    data = kept(elider)
    assert SECRET[:4] not in data and data.endswith(b"print(1)\r\n1\r\n> ")


def test_what_a_program_prints_that_reads_the_configuration() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    elider.feed(frame(Source(b"print(wifi.sta.getconfig())"), 0, to_host=False), 0.0, to_host=False)
    elider.feed(frame(Call(0, 1), 1, to_host=False), 0.0, to_host=False)
    elider.feed(b"home\t" + SECRET + b"\r\n", 0.1, to_host=True)
    elider.feed(frame(Reply(1), 0, to_host=True), 0.2, to_host=True)
    elider.feed(b"after\r\n\0", 0.3, to_host=True)
    data = kept(elider)
    assert SECRET[:4] not in data and data.endswith(b"after\r\n\0")


def test_frames_whose_codec_is_told_late() -> None:
    elider = Elider()
    hello = frame(Reply(1, (b"first",)), 0, to_host=True)
    sent = frame(CONFIG, 0, to_host=False)
    elider.feed(b"some echo\r\n" + hello, 0.0, to_host=True)
    elider.feed(sent, 0.0, to_host=False)
    assert not elider.take(), "what nobody can read yet is held"
    elider.begin(CODEC, 0.0)
    first, second = (item for item in elider.take() if isinstance(item, Chunk))
    assert first.kept == b"some echo\r\n" + hello
    assert SECRET[:4] not in second.kept and CODEC.decode(second.kept.strip(b"\0"), to_host=False) is not None


def test_frames_whose_codec_nobody_tells() -> None:
    elider = Elider()
    elider.feed(frame(CONFIG, 0, to_host=False), 0.0, to_host=False)
    elider.handle_timeout(DOUBT_SECONDS)
    assert SECRET[:4] not in kept(elider)


def test_a_frame_that_a_prompt_echoes() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    sent = frame(CONFIG, 0, to_host=False)
    elider.feed(sent, 0.0, to_host=False)
    elider.feed(sent.rstrip(b"\0").replace(b"#", b"\b"), 0.1, to_host=True)
    elider.flush(1.0)
    assert SECRET[:5] not in kept(elider)


def test_an_old_number_with_another_payload() -> None:
    elider = Elider()
    elider.begin(CODEC, 0.0)
    elider.feed(frame(Reply(1, (b"first",)), 0, to_host=True), 0.0, to_host=True)
    elider.feed(frame(Reply(1, ({b"pwd": SECRET},)), 0, to_host=True), 0.1, to_host=True)
    assert SECRET[:4] not in kept(elider)


def test_records_are_what_the_file_holds() -> None:
    pair = play([CONFIG], [Reply(4, (True,))], Damage(), Damage())
    assert all(isinstance(record, Record) for record in pair.trace().records)
