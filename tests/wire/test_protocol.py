"""The examples of PROTOCOL.md, run."""

import re
from pathlib import Path

import pytest

from bridge.wire import messages, values
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind, rescue_frame
from bridge.wire.messages import MESSAGES, Direction
from tests.agent.fake_board import FakeBoard

TEXT = (Path(messages.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```example (\S+) ?(.*)\n((?:(?!->|```).*\n)*)-> ([0-9a-f ]+)\n```", TEXT)
NAMES = {name: getattr(module, name) for module in (messages, values) for name in dir(module) if name[0].isupper()}


def frames() -> list[tuple[str, Frame, bytes]]:
    found = []
    for kind, where, source, data in EXAMPLES:
        if kind == "frame":
            words = dict(word.partition("=")[::2] for word in source.split())
            frame = Frame(
                Kind[words["kind"].upper()],
                int(words.get("seq", 0)),
                int(words["ack"]),
                int(words.get("mask", "0"), 16),
                "nak" in words,
                "poll" in words,
                bytes.fromhex(words.get("payload", "")),
            )
            found.append((where, frame, bytes.fromhex(data)))
    return found


def test_the_examples_are_found() -> None:
    assert TEXT.count("```example") == len(EXAMPLES) >= 13


@pytest.mark.parametrize(("where", "frame", "data"), frames())
def test_frames(where: str, frame: Frame, data: bytes) -> None:
    direction, kind, epoch = where.split()
    codec = Codec(CheckKind(kind), int(epoch, 16))
    assert codec.encode(frame, to_host=direction == "to_host") == data
    assert codec.decode(data.strip(b"\0"), to_host=direction == "to_host") == frame


@pytest.mark.parametrize("version", ["5.1", "5.3"])
@pytest.mark.parametrize(("where", "frame", "data"), [f for f in frames() if f[0].startswith("to_board")])
def test_the_agent_takes_the_frames(version: str, where: str, frame: Frame, data: bytes) -> None:
    _, kind, epoch = where.split()
    board = FakeBoard(version, ow=kind == "crc")
    board.load(Codec(CheckKind(kind), int(epoch, 16)))
    board.run_tasks()
    board.now = 1.0
    board.out.clear()
    board.feed(data)
    board.now = 2.0
    board.run_tasks()
    # A frame that is none is answered by a NAK; these are answered only when they ask for it.
    flags = [out[1][-6] & 0x40 for out in board.out]
    assert len(board.out) == (1 if frame.poll else 0) and not any(flags)


@pytest.mark.parametrize(("where", "source", "data"), [e[1:] for e in EXAMPLES if e[0] == "message"])
def test_messages(where: str, source: str, data: str) -> None:
    message = eval(source, NAMES)
    assert messages.encode(message) == bytes.fromhex(data)
    direction = Direction.TO_HOST if where == "to_host" else Direction.TO_BOARD
    assert messages.decode(bytes.fromhex(data), direction) == message


@pytest.mark.parametrize(("source", "data"), [e[2:] for e in EXAMPLES if e[0] == "values"])
def test_values(source: str, data: str) -> None:
    expected = eval(source, NAMES)
    assert values.encode_values(expected) == bytes.fromhex(data)
    assert values.decode_values(bytes.fromhex(data)) == expected


@pytest.mark.parametrize(("kind", "source", "data"), [e[1:] for e in EXAMPLES if e[0] == "rescue"])
def test_rescue_frames(kind: str, source: str, data: str) -> None:
    assert rescue_frame(CheckKind(kind), source.strip().encode()) == bytes.fromhex(data)


def test_the_table_of_messages_is_the_code() -> None:
    for (direction, opcode), entry in MESSAGES.items():
        number = {messages.Call: "0, 64–253", messages.DirectCall: "1–63"}.get(entry.kind, str(opcode))
        way = "to the board" if direction is Direction.TO_BOARD else "to the host"
        fields = ", ".join(f"{name} {form}" for name, form in entry.fields) or "–"
        assert f"| {number} | {entry.name} | {way} | {fields} |" in TEXT
    assert TEXT.count("| to the board |") + TEXT.count("| to the host |") == len(MESSAGES)
