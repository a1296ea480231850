from __future__ import annotations

import io

from rich.console import Console

from bridge.cli.rack_table import Row, headline, line, table

NOW = 1_000_000.0
HELD = Row(
    "shelf-1", "held", "rfc2217://127.0.0.1:4001", "PID 7 ann: pytest", NOW - 75,
    "tests/hil/test_net.py::test_echo[1]", NOW - 3, 37_500,
)  # fmt: skip
OUT = Row("shelf-2", "quarantined", "/dev/ttyUSB1", failure="It did not answer.")


def shown(rows: list[Row], *, width: int = 140, room: int | None = None) -> list[str]:
    out = io.StringIO()
    made = table(rows, headline("rack.yaml", rows, 2), NOW, width=width, room=room)
    Console(file=out, width=width, color_system=None).print(made)
    return [each.rstrip() for each in out.getvalue().splitlines()]


def test_a_place_says_who_holds_it_for_how_long_and_what_is_done() -> None:
    title, names, first, second = shown([HELD, OUT])
    assert title == "rack.yaml: 2 places, 1 held, 1 quarantined, 2 waiting"
    assert names.split() == ["place", "state", "held", "by", "for", "doing", "heap", "last", "failure"]
    for words in ("shelf-1", "held", "PID 7 ann: pytest", "1 min 15 s", "test_echo[1] 3 s", "37 500"):
        assert words in first
    assert "quarantined" in second and "It did not answer." in second


def test_each_place_has_one_line_however_narrow_it_is() -> None:
    for width in (40, 80, 200):
        lines = shown([HELD, OUT], width=width)
        assert len(lines) == 4 and all(len(each) <= width for each in lines)
        assert [each.split()[:2] for each in lines[2:]] == [["shelf-1", "held"], ["shelf-2", "quarantined"]]


def test_what_has_no_room_is_counted() -> None:
    lines = shown([Row(f"shelf-{number}", "free", "x") for number in range(40)], room=20)
    assert len(lines) == 20 and lines[-1] == "and 23 more"
    assert len(shown([HELD] * 18, room=20)) == 20


def test_what_others_wrote_does_nothing_to_a_terminal() -> None:
    bad = Row("p", "held", "x", "\x1b[2J[red]\n", doing="a::\x1b]0;title\x07[bold]x", failure="\x9b1m")
    text = "\n".join(shown([bad])) + line(bad, NOW)
    assert "\x1b" not in text and "\x9b" not in text and "\x07" not in text
    assert "[red]" in text and "[bold]" in text  # and is no markup of the table either


def test_a_line_says_the_same() -> None:
    assert "held by PID 7 ann: pytest since " in line(HELD, NOW)
    assert line(HELD, NOW).endswith(", tests/hil/test_net.py::test_echo[1], 37500 bytes free")
    assert line(OUT, NOW) == "shelf-2 quarantined, It did not answer."
    assert line(Row("a", "free", "x", failure="long ago"), NOW) == "a free"
