import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ntest.dialect import LONGEST, Dialect, Kind, Lines, Meaning
from bridge.ntest.results import Assertion

DIALECT = Dialect()
TAP = Dialect("", directives=True)


def asserted(test: str, assertion: Assertion) -> Meaning:
    return Meaning(Kind.ASSERTION, test, assertion=assertion)


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("TAP: # STARTUP file", Meaning(Kind.START, "file")),
        ("TAP: # begin  two\\010lines ", Meaning(Kind.BEGIN, " two\nlines ")),
        ("TAP: # end x", Meaning(Kind.END, "x")),
        ("TAP: # begin ", Meaning(Kind.BEGIN, "")),
        ("TAP: # beginning", Meaning(Kind.COMMENT, "beginning")),
        ("TAP: ok 1 powered by Lua 5.1.4 on SDK 3.0 # y",
         asserted("powered by Lua 5.1.4 on SDK 3.0", Assertion(True, 1, "y"))),
        ("TAP: ok 3 read 7*128 bytes # length", asserted("read 7*128 bytes", Assertion(True, 3, "length"))),
        ("TAP: ok 12 3 things # a:5", asserted("3 things", Assertion(True, 12, "a:5"))),
        ("TAP: not ok 4 x # same: 1 and 2 differ", asserted("x", Assertion(False, 4, "same: 1 and 2 differ"))),
        ("TAP: not ok 4 x # a.lua:7: ", asserted("x", Assertion(False, 4, "a.lua:7"))),
        ("TAP: not ok 4 x # exn; a.lua:7: oh: ", asserted("x", Assertion(False, 4, "error: a.lua:7: oh"))),
        ("TAP: ok", asserted("", Assertion(True, None, ""))),
        ("TAP: not ok # nameless", asserted("", Assertion(False, None, "nameless"))),
        ("TAP: POST 1..20", Meaning(Kind.SUMMARY, count=19)),
        ("TAP: 1..7", Meaning(Kind.PLAN, count=7)),
        ("TAP: Bail out! no reader", Meaning(Kind.BAIL_OUT, "no reader")),
        ("TAP: Bail out!", Meaning(Kind.BAIL_OUT, "")),
        ("> TAP: ok 1 x # y", asserted("x", Assertion(True, 1, "y"))),
        ("TAP: POST ok 1 x", Meaning(Kind.NOT_UNDERSTOOD, "POST ok 1 x")),
        ("TAP: POST 1..0", Meaning(Kind.NOT_UNDERSTOOD, "POST 1..0")),
        ("TAP: nothing", Meaning(Kind.NOT_UNDERSTOOD, "nothing")),
        ("TAP: 15f7", Meaning(Kind.NOT_UNDERSTOOD, "15f7")),
        ("TAP: ok " + "9" * 5000, Meaning(Kind.NOT_UNDERSTOOD, "ok " + "9" * 5000)),
        ("TAP: TAP version 3", Meaning(Kind.NOT_UNDERSTOOD, "TAP version 3")),
        ('print("TAP: ok 1 x")', Meaning(Kind.TEXT)),
        ("", Meaning(Kind.TEXT)),
        (" build 2024-02-25 01:33 powered by Lua 5.1.4 on SDK 3.0.1-dev(fce080e)", Meaning(Kind.RESTART)),
        ("PANIC: unprotected error in call to Lua API (a.lua:1: oh)",
         Meaning(Kind.RESTART, "PANIC: unprotected error in call to Lua API (a.lua:1: oh)")),
    ],
)  # fmt: skip
def test_what_lines_mean(line: str, meaning: Meaning) -> None:
    assert DIALECT.meaning(line) == meaning


@pytest.mark.parametrize("word", ["skip", "SKIP", "todo", "TODO"])
def test_what_follows_the_hash_is_no_directive(word: str) -> None:
    said = DIALECT.meaning(f"TAP: not ok 1 x # {word} what follows: 1 and 2 differ")
    assert said.assertion and said.assertion.excuse is None and not said.assertion.good


def test_in_tap_itself_it_is_one() -> None:
    assert TAP.meaning("not ok 1 - x # TODO later") == asserted("x", Assertion(False, 1, "x", "TODO later"))
    assert TAP.meaning("ok 2 - y # SKIP no net") == asserted("y", Assertion(True, 2, "y", "SKIP no net"))
    assert TAP.meaning("> some text") == Meaning(Kind.TEXT)
    assert TAP.meaning("15f7") == Meaning(Kind.TEXT)  # such as a number that the prompt is asked for
    assert TAP.meaning("# begin the long part") == Meaning(Kind.COMMENT, "begin the long part")
    assert TAP.meaning("# STARTUP x") == Meaning(Kind.START, "x")
    marked = Dialect(directives=True)
    for line in ("TAP version 13", "  ---", "  got: 3", "  ..."):
        assert marked.meaning(f"TAP: {line}") == Meaning(Kind.COMMENT), line
    assert marked.meaning("TAP: nothing") == Meaning(Kind.NOT_UNDERSTOOD, "nothing")
    assert TAP.meaning("  some text") == Meaning(Kind.TEXT)
    assert TAP.meaning("ok 3 - z") == asserted("z", Assertion(True, 3, "z"))


def test_a_sub_test_that_is_known_may_have_a_hash_in_its_name() -> None:
    line = "TAP: ok 1 C # major # in tune"
    assert DIALECT.meaning(line) == asserted("C", Assertion(True, 1, "major # in tune"))
    assert DIALECT.meaning(line, ("C # major",)) == asserted("C # major", Assertion(True, 1, "in tune"))
    assert DIALECT.meaning(line, ("C", "C # major")) == asserted("C # major", Assertion(True, 1, "in tune"))


@given(st.text(st.characters(exclude_characters="\r\n")))
def test_any_line_means_something(text: str) -> None:
    for line in (text, "TAP: " + text, "TAP: ok " + text, "TAP: not ok 1 " + text, "TAP: POST 1.." + text):
        for dialect in (DIALECT, TAP):
            dialect.meaning(line)
    said = DIALECT.meaning(f"TAP: ok 7 {text}", (text.rstrip(),))
    assert said.kind in (Kind.ASSERTION, Kind.NOT_UNDERSTOOD)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",))), max_size=6), st.data())
def test_lines_are_the_same_however_they_come(lines: list[str], data: st.DataObject) -> None:
    stream = "".join(line + "\r\n" for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    cutter, found = Lines(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += cutter.feed(stream[start:end])
    assert found == lines
    assert cutter.end() == ""


def test_a_line_without_end_is_cut() -> None:
    lines = Lines()
    assert lines.feed(b"x" * (2 * LONGEST + 5)) == ["x" * LONGEST] * 2
    assert lines.end() == "x" * 5
    assert lines.feed(b"\xff\n") == ["�"]
