"""What is read of a run, from text as boards print it; no board is here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ntest.dialect import Dialect
from bridge.ntest.reading import KEPT, Reading
from bridge.ntest.results import Ending, FileRun, Outcome

#: As the firmware's own reporter prints it: no beginnings, no ends.
STOCK = """
TAP: # STARTUP tmr
>\x20

TAP: ok 1 SINGLE # sync end

TAP: ok 2 SINGLE # only 1
a line between

TAP: not ok 3 AUTO # only 2: 3 and 2 differ

TAP: POST 1..4
"""
#: As ours does.
OURS = """
TAP: # STARTUP tmr
> said at the start

TAP: # begin SINGLE
said by SINGLE

TAP: ok 1 SINGLE # sync end

TAP: # end SINGLE

TAP: # begin empty

TAP: # end empty

TAP: POST 1..2
"""
BANNER = "\r\nNodeMCU 3.0.0.0\r\n build 2024 powered by Lua 5.1.4 on SDK 3.0.1-dev(fce080e)\r\n"


def reading(text: str, **options: object) -> Reading:
    found = Reading("a.lua", 10.0, **options)  # type: ignore[arg-type]
    for number, line in enumerate(text.splitlines(keepends=True)):
        found.feed(line.replace("\n", "\r\n").encode(), 10.0 + number)
    return found


def run_of(text: str, **options: object) -> FileRun:
    return reading(text, **options).result(100.0)


def test_the_firmwares_own_reporter() -> None:
    run = run_of(STOCK)
    assert (run.ending, run.problems) == (Ending.COMPLETE, [])
    assert [(test.name, test.outcome, len(test.assertions)) for test in run.sub_tests] == [
        ("SINGLE", Outcome.PASSED, 2),
        ("AUTO", Outcome.FAILED, 1),
    ]
    assert run.sub_tests[1].why == "only 2: 3 and 2 differ"
    assert "a line between" in run.sub_tests[1].console
    assert run.seconds == 90.0


def test_beginnings_and_ends() -> None:
    run = run_of(OURS)
    assert run.good and [test.name for test in run.sub_tests] == ["SINGLE", "empty"]
    single, empty = run.sub_tests
    assert single.console == "TAP: # begin SINGLE\nsaid by SINGLE\nTAP: ok 1 SINGLE # sync end\nTAP: # end SINGLE"
    assert (single.began, single.seconds) == (14.0, 5.0)
    assert empty.outcome is Outcome.PASSED and not empty.assertions
    assert "said at the start" in run.console and "SINGLE" not in run.console


def test_a_name_that_comes_again_gets_a_number() -> None:
    again = "TAP: # begin x\nTAP: # end x\n"
    run = run_of(f"TAP: # STARTUP r\n{again}{again}{again}TAP: POST 1..1\n")
    assert [test.name for test in run.sub_tests] == ["x", "x (2)", "x (3)"]


def test_sub_tests_that_run_at_the_same_time_keep_their_assertions() -> None:
    run = run_of(
        "TAP: # STARTUP a\nTAP: # STARTUP b\nTAP: # begin slow\nTAP: # begin quick\nTAP: not ok 1 quick # q: \n"
        "TAP: # end quick\nTAP: ok 2 slow # s\nTAP: POST 1..3\nTAP: # end slow\nTAP: POST 1..3\n"
    )
    assert (run.ending, run.problems) == (Ending.COMPLETE, [])
    assert [(test.name, test.outcome) for test in run.sub_tests] == [
        ("slow", Outcome.PASSED),
        ("quick", Outcome.FAILED),
    ]


def test_what_a_sub_test_does_after_its_end_is_its_own() -> None:
    run = run_of("TAP: # STARTUP a\nTAP: # begin x\nTAP: # end x\nTAP: not ok 1 x # stray callback: \nTAP: POST 1..2\n")
    assert [(test.name, test.outcome) for test in run.sub_tests] == [("x", Outcome.FAILED)]


def test_one_run_of_tests_after_the_other() -> None:
    one = "TAP: # STARTUP a\nTAP: ok 1 x # x\nTAP: POST 1..2\n"
    first = reading(one)
    assert first.ending is Ending.COMPLETE
    first.feed(one.replace("x", "y").partition("ok")[0].encode(), 20.0)
    assert first.ending is None
    run = run_of(one + one.replace("x", "y"))
    assert run.good and [test.name for test in run.sub_tests] == ["x", "y"]


def test_a_plan_that_comes_first() -> None:
    tap = Dialect("", directives=True)
    found = reading("1..2\nok 1 - x\n", dialect=tap)
    assert found.ending is None
    found.feed(b"not ok 2 - y # TODO later\n", 20.0)
    assert found.ending is Ending.COMPLETE
    assert [test.outcome for test in found.result(20.0).sub_tests] == [Outcome.PASSED, Outcome.SKIPPED]
    assert reading("1..0\n", dialect=tap).ending is Ending.COMPLETE


def test_a_plan_that_comes_last() -> None:
    tap = Dialect("", directives=True)
    run = run_of("TAP version 13\nok 1 - x\nok 2 - y\n1..2\n", dialect=tap)
    assert run.good and [test.name for test in run.sub_tests] == ["x", "y"]
    run = run_of("ok 1 - x\n1..2\n", dialect=tap)
    assert (run.ending, run.why) == (Ending.COMPLETE, "There were 2 assertions, and 1 lines of them came")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("TAP: # STARTUP a\nTAP: ok 1 x # x\nTAP: POST 1..3\n", "There were 2 assertions, and 1 lines of them came"),
        ("TAP: # STARTUP a\nTAP: ok 2 x # x\nTAP: POST 1..3\n", "Assertion 1 came as number 2: a line is missing"),
        ("TAP: # STARTUP a\nTAP: nk 1 x\nTAP: POST 1..1\n", "A line is no TAP: 'nk 1 x'"),
        ("TAP: # STARTUP a\nTAP: POST 1..1\nTAP: ok 1 x # x\n", "After the end came an assertion"),
        ("TAP: # STARTUP a\nTAP: ok 1 x\nTAP: 1..4\nTAP: POST 1..2\n", "A plan of 4 assertions came in the middle"),
    ],
)
def test_tap_that_is_not_whole(text: str, problem: str) -> None:
    run = run_of(text)
    assert run.ending is Ending.COMPLETE and not run.whole
    assert problem in run.why


def test_bailing_out() -> None:
    run = run_of("TAP: # STARTUP a\nTAP: # begin x\nTAP: ok 1 x # x\nTAP: Bail out! no net\nTAP: POST 1..2\n")
    assert (run.ending, run.reason) == (Ending.BAILED_OUT, "The file gave up: no net during 'x'")
    assert run.sub_tests[0].outcome is Outcome.UNFINISHED
    assert run.sub_tests[0].why == run.reason


@pytest.mark.parametrize("last", [BANNER, "PANIC: unprotected error in call to Lua API (a.lua:3: oh)\n" + BANNER])
def test_a_restart(last: str) -> None:
    run = run_of("TAP: # STARTUP a\nTAP: # begin x\nTAP: ok 1 x # x\n" + last)
    assert run.ending is Ending.RESTARTED
    assert run.reason.startswith("The board restarted during 'x'")
    assert ("a.lua:3: oh" in run.reason) == ("PANIC" in last)
    assert "PANIC" in run.sub_tests[0].console or "powered by Lua" in run.sub_tests[0].console


def test_what_ends_a_run_between_sub_tests_names_the_one_before() -> None:
    before = "TAP: # STARTUP a\nTAP: # begin x\nTAP: ok 1 x # x\nTAP: # end x\n"
    assert run_of(before + BANNER).reason == "The board restarted after 'x'"
    found = reading(before)
    found.expire(1000.0)
    assert found.reason == "No line of TAP came for 60 s after 'x'"


def test_a_restart_after_an_error_that_nothing_caught() -> None:
    found = reading("TAP: # STARTUP a\nTAP: POST 1..1\na.lua:3: oh\nstack traceback:\n\ta.lua:3: in function\n")
    assert (found.ending, found.uncaught) == (Ending.COMPLETE, "a.lua:3: oh")
    found.feed(BANNER.encode(), 60.0)
    assert found.result(60.0).reason == "The board restarted after the error 'a.lua:3: oh'"


def test_an_error_that_a_running_sub_test_prints_is_none_of_that() -> None:
    found = reading("TAP: # STARTUP a\nTAP: # begin x\na.lua:3: oh\nstack traceback:\n\ta.lua:3: in function\n")
    assert found.uncaught is None


def test_silence() -> None:
    found = Reading("a.lua", 0.0, first=10.0, next_line=60.0)
    found.feed(b"noise, which is no TAP\r\n", 9.0)
    found.expire(9.9)
    assert (found.ending, found.deadline) == (None, 10.0)
    found.expire(10.0)
    assert (found.ending, found.reason) == (Ending.SILENT, "No test began within 10 s")

    found = Reading("a.lua", 0.0, first=10.0, next_line=60.0)
    found.feed(b"TAP: # STARTUP a\r\nTAP: # begin x\r\n", 9.0)
    found.feed(b"noise, which is no TAP\r\n", 60.0)
    assert found.deadline == 69.0
    found.expire(69.0)
    assert (found.ending, found.reason) == (Ending.SILENT, "No line of TAP came for 60 s during 'x'")
    found.feed(BANNER.encode(), 70.0)  # because it is restarted then
    assert found.result(70.0).ending is Ending.SILENT


def test_a_flood_of_text_is_cut() -> None:
    found = Reading("a.lua", 0.0)
    found.feed(b"TAP: # STARTUP a\nTAP: # begin x\n", 0.0)
    for _ in range(3):
        found.feed(b"y" * 99 + b"\n" + b"z" * KEPT + b"\n", 0.0)
    found.feed(b"TAP: # end x\nTAP: POST 1..1\n", 0.0)
    console = found.result(0.0).sub_tests[0].console
    assert len(console) <= KEPT + 10 and console.endswith("…")


@given(st.binary() | st.text().map(str.encode), st.integers(0, 3))
def test_whatever_comes_is_survived_and_kept(noise: bytes, where: int) -> None:
    found = Reading("a.lua", 0.0)
    lines = OURS.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if number == where * 4:
            found.feed(noise + b"\n", 0.0)
        found.feed(line.encode(), 0.0)
    found.expire(100.0)
    found.result(100.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.text(st.characters(codec="utf-8"))), max_size=8))
def test_what_a_reporter_says_is_what_is_read(told: list[tuple[str, bool, str]]) -> None:
    text = ["TAP: # STARTUP r\n"]
    for number, (name, good, message) in enumerate(told, 1):
        message = "".join(each for each in message if each.isprintable())
        text.append(f"TAP: # begin {name}\n\nTAP: {'' if good else 'not '}ok {number} {name} # {message}\n")
        text.append(f"TAP: # end {name}\n")
    text.append(f"TAP: POST 1..{len(told) + 1}\n")
    run = run_of("".join(text))
    assert (run.ending, run.problems) == (Ending.COMPLETE, [])
    expected = [Outcome.PASSED if good else Outcome.FAILED for _, good, _ in told]
    assert [test.outcome for test in run.sub_tests] == expected
    assert all(len(test.assertions) == 1 for test in run.sub_tests)
