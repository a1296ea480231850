from __future__ import annotations

import asyncio

from bridge.terminal.text import PATIENCE, BoardText
from bridge.virtual import clock


class Screen:
    """What was written."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.text = BoardText(self.written.append)

    def take(self) -> str:
        taken = "".join(self.written)
        self.written.clear()
        return taken


def test_while_nobody_edits_everything_is_shown_at_once() -> None:
    screen = Screen()
    screen.text.feed(b"a\r\nb")
    assert screen.take() == "a\nb"
    screen.text.feed(b"c\r")
    screen.text.feed(b"\nd\re")
    assert screen.take() == "c\nd\re"


def test_a_line_that_is_edited_begins_on_a_line_of_its_own_and_the_end_that_comes_later_makes_none_more() -> None:
    screen = Screen()
    screen.text.feed(b"half")
    screen.text.begin_editing()
    assert screen.take() == "half\n"
    screen.text.feed(b"\r\nnext\r\n")
    assert screen.take() == "next\n"


def test_while_a_line_is_edited_only_whole_lines_are_shown_until_patience_ends() -> None:
    async def scenario() -> None:
        screen = Screen()
        screen.text.begin_editing()
        screen.text.feed(b"whole\r\nha")
        assert screen.take() == "whole\n"
        screen.text.feed(b"lf")
        await asyncio.sleep(PATIENCE * 0.9)
        assert screen.take() == ""
        await asyncio.sleep(PATIENCE * 0.2)
        assert screen.take() == "half\n"
        screen.text.feed(b"\r\nmore\r\n")
        assert screen.take() == "more\n"

    clock.run(scenario())


def test_what_waits_is_shown_when_the_line_has_been_typed() -> None:
    async def scenario() -> None:
        screen = Screen()
        screen.text.begin_editing()
        screen.text.feed(b"half")
        screen.text.end_editing()
        assert screen.take() == "half"
        await asyncio.sleep(PATIENCE * 2)
        assert screen.take() == ""
        screen.text.say("own\n")
        assert screen.take() == "\nown\n"
        screen.text.say("asked? ")
        screen.text.say("y\n", beside=True)
        assert screen.take() == "asked? y\n"

    clock.run(scenario())


def test_what_is_said_above_an_edited_line_stands_behind_what_waits() -> None:
    async def scenario() -> None:
        screen = Screen()
        screen.text.begin_editing()
        screen.text.feed(b"half")
        screen.text.say("own\n")
        assert screen.take() == "half\nown\n"

    clock.run(scenario())


def test_bytes_that_are_no_text() -> None:
    screen = Screen()
    screen.text.feed("ü".encode()[:1])
    assert screen.take() == ""
    screen.text.feed("ü".encode()[1:] + b"\xff\r\n")
    assert screen.take() == "ü\\xff\n"
