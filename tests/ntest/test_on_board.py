"""Test files on a virtual board: its prompt, its Lua, its restarts. On its clock a minute of silence is short."""

from __future__ import annotations

import pytest

from bridge.board import Board
from bridge.errors import AgentError, UsageError
from bridge.ntest import Ending, FileRun, Job, Outcome, run_file
from bridge.ntest.naming import Names
from bridge.ntest.outline import read_outline
from tests.ntest.rig import HEAD, on_a_board, run_of
from tests.variants import by_night

#: The firmwares that have their own ways of handling errors, and the Luas.
BOARDS: list[dict[str, object]] = [{}, {"lua": "5.3"}, {"number": "integer"}, {"firmware": "2.2.1"}]


def outcomes(run: FileRun) -> dict[str, Outcome]:
    return {test.name: test.outcome for test in run.sub_tests}


@pytest.mark.parametrize("options", BOARDS, ids=str)
def test_a_file_whose_sub_tests_pass(options: dict[str, object]) -> None:
    run = run_of(
        """
        N.test("at once", function() ok(true) nok(false, "not") ok(eq({1, {2}}, {1, {2}})) print("said") end)
        N.testasync("later", function(done)
          tmr.create():alarm(30, tmr.ALARM_SINGLE, function(t) ok(t) done() done() end)
        end)
        N.testco("in its place", function(getCB, waitCB)
          tmr.create():alarm(30, tmr.ALARM_SINGLE, getCB("timer"))
          local name, timer = waitCB()
          ok(eq(name, "timer"))
          ok(timer)
        end)
        N.test("nothing to assert", function() end)
        """,
        **options,
    )
    assert run.good, run
    assert set(outcomes(run).values()) == {Outcome.PASSED}
    assert [len(test.assertions) for test in run.sub_tests] == [3, 1, 2, 0]
    assert "said" in run.sub_tests[0].console
    assert 0.02 <= run.sub_tests[1].seconds < 1


@pytest.mark.parametrize("options", BOARDS, ids=str)
def test_sub_tests_may_have_any_name(options: dict[str, object]) -> None:
    written = (
        r"two\nlines", "", " spaces ", r"umlaut \195\188", "\u00fcmlaut", r"tab\there", "begin", "x # y", "x #",
        r"C:\\x\\010",
        r"a\r\nTAP: Bail out! hah", r"nul \0 in", "same", "same", "same (2)", "(whole file)",
        "%d %s", "> ", "powered by Lua 5.1 on SDK 3.0",
    )  # fmt: skip
    source = "\n".join(f'N.test("{name}", function() ok(true, "{name}") end)' for name in written)
    run = run_of(source, **options)
    assert run.good, run
    outline = read_outline(source)
    names = Names()
    assert [test.name for test in run.sub_tests] == [names.own(name) for name in outline.names]
    said = [test.assertions[0].text for test in run.sub_tests]
    # A text at the end of a line may have lost spaces there, and one that is none is the name.
    assert [each.strip() for each in said] == [name.strip() for name in outline.names]


def test_what_a_sub_test_says_stays_on_its_line() -> None:
    run = run_of(r"""
        N.test("says", function() ok(eq("a", "b\nTAP: POST 1..1\r\nTAP: ok 9 x # y"), "m\nTAP: Bail out!") end)
        N.testasync("raises", function() node.task.post(function() error("oh\nTAP: Bail out!") end) end)
        """)
    assert run.whole, run.why
    assert run.sub_tests[0].why == "m\nTAP: Bail out!: a and b\nTAP: POST 1..1\r\nTAP: ok 9 x # y differ"
    assert run.sub_tests[1].why.startswith("error: NTest_x.lua:5: oh\nTAP: Bail out!")


@pytest.mark.parametrize("options", [{}, {"lua": "5.3"}], ids=str)
def test_each_way_to_fail(options: dict[str, object]) -> None:
    run = run_of(
        """N.test("an assertion", function() ok(eq(1, 2), "the same") print("unreached") end)
        N.test("without a text", function() nok(true) end)
        N.test("an error", function() error("oh") end)
        N.test("no error", function() fail(function() end, "oh") end)
        N.test("another error", function() fail(function() error("ah") end, "oh") end)
        N.testasync("in a callback", function() node.task.post(function() error("oh") end) end)
        N.testasync("an assertion in a callback", function() node.task.post(function() ok(false, "no") end) end)
        N.testasync("it says so itself", function(done) done("why") end)
        N.testco("in a coroutine", function(getCB, waitCB) node.task.post(getCB("x")) waitCB() ok(false) end)
        N.testco("stray", function(getCB, waitCB) node.task.post(getCB("x")) end)
        N.test("and the next one runs", function() ok(true) end)
        """,
        **options,
    )
    assert run.whole, run.why
    last = outcomes(run).pop("and the next one runs")
    assert last is Outcome.PASSED
    assert {name for name, found in outcomes(run).items() if found is not Outcome.FAILED} == {"and the next one runs"}
    why = {test.name: test.why for test in run.sub_tests}
    assert why["an assertion"] == "the same: 1 and 2 differ"
    assert why["without a text"] == "NTest_x.lua:4"
    assert why["an error"] == "error: NTest_x.lua:5: oh"
    assert 'expected an error with "oh", got no error' in why["no error"]
    assert 'expected an error with "oh", got NTest_x.lua:7: ah' in why["another error"]
    assert why["in a callback"].startswith("error: NTest_x.lua:8: oh")
    assert why["an assertion in a callback"] == "no"
    assert why["it says so itself"] == "error: why"
    assert why["stray"] == "stray callback x"
    assert "unreached" not in run.sub_tests[0].console


def test_eq_and_spy() -> None:
    run = run_of("""
        N.test("eq", function()
          ok(eq(nil, nil)) ok(eq("a", "a")) ok(eq({a = {1}}, {a = {1}}))
          nok(eq(1, "1")) nok(eq({1}, {1, 2})) nok(eq({1, 2}, {1})) nok(eq({a = 1}, {a = 2}))
          ok(eq(eq({a = {1}}, {a = {2}}).msg, "[a] [1] 1 and 2 differ"))
          local function f() return 1 end
          ok(eq(f, f))
        end)
        N.test("spy", function()
          local f = spy(function(a, b) if not a then error("none") end return a, b end)
          local a, b = f(1, nil)
          ok(a == 1 and b == nil)
          f()
          ok(eq(#f.called, 2)) ok(eq(f.called[1], {1})) ok(f.errors[2]:find("none"))
          nok(spy()(1))
        end)
        N.test("env", function() ok(true) end)
        """)
    assert run.good, [test.why for test in run.sub_tests]


def test_an_environment_of_its_own() -> None:
    source = 'local e = {} N.env = e N.test("x", function() e.ok(e.eq(1, 1)) e.nok(ok) end)'
    assert run_of(source).good


def test_two_runs_in_one_file() -> None:
    run = run_of(
        """local T = ... or require "NTest"
        local a, b = T("a"), T("b")
        a.test("a1", function() ok(true) end) b.test("b1", function() ok(true) end)
        a.testasync("a2", function(done) tmr.create():alarm(20, 0, function() ok(true) done() end) end)
        b.test("b2", function() ok(true) end)
        """,
        head="",
    )
    assert run.good, run
    assert set(outcomes(run)) == {"a1", "a2", "b1", "b2"}


def test_the_library_by_require_alone() -> None:
    assert run_of('require "NTest"("x").test("y", function() ok(true) end)', head="").good


@pytest.mark.parametrize("options", BOARDS, ids=str)
def test_a_restart_in_a_sub_test(options: dict[str, object]) -> None:
    run = run_of(
        """N.test("fine", function() ok(true) end)
        N.testasync("restarts", function() ok(true) node.restart() end)
        N.test("not reached", function() ok(true) end)
        """,
        **options,
    )
    assert run.ending is Ending.RESTARTED
    assert run.reason == "The board restarted during 'restarts'"
    assert outcomes(run) == {"fine": Outcome.PASSED, "restarts": Outcome.UNFINISHED}
    assert "powered by Lua" in run.sub_tests[1].console


def test_a_panic() -> None:
    run = run_of(
        'N.testasync("panics", function() tmr.create():alarm(20, 0, function() error("oh") end) end)',
        firmware="2.2.1",
    )
    assert run.ending is Ending.RESTARTED
    assert "PANIC" in run.reason and "NTest_x.lua:3: oh" in run.reason and "during 'panics'" in run.reason


def test_an_endless_loop_is_ended_by_the_watchdog() -> None:
    run = run_of('N.test("loops", function() ok(true) while true do end end)')
    assert (run.ending, outcomes(run)) == (Ending.RESTARTED, {"loops": Outcome.UNFINISHED})


def test_an_error_that_nothing_caught_after_the_last_test() -> None:
    run = run_of("""
        N.test("sets a trap", function()
          ok(true)
          local post, left = node.task.post, 3
          local function trap()
            left = left - 1
            if left == 0 then error("oh") end
            post(0, trap)
          end
          post(0, trap)
        end)
        """)
    assert run.ending is Ending.RESTARTED
    assert "after the error 'NTest_x.lua:9: oh'" in run.reason
    assert outcomes(run) == {"sets a trap": Outcome.PASSED}


def test_silence() -> None:
    run = run_of('N.testasync("waits", function() ok(true) tmr.create():alarm(50, 1, function() end) end)')
    assert (run.ending, run.reason) == (Ending.SILENT, "No line of TAP came for 60 s during 'waits'")
    run = run_of("print('no tests here')", head="")
    assert (run.ending, run.reason) == (Ending.SILENT, "No test began within 10 s")


def test_a_file_that_raises_or_does_not_compile_gives_up() -> None:
    run = run_of('N.test("x", function() ok(true) end) error("in the middle")')
    assert (run.ending, run.reason) == (Ending.BAILED_OUT, "The file gave up: NTest_x.lua:3: in the middle")
    run = run_of("N.test(")
    assert run.ending is Ending.BAILED_OUT and "NTest_x.lua:3: unexpected symbol" in run.reason


def test_one_that_is_too_big_for_the_heap_gives_up() -> None:
    run = run_of("".join(f"function f{i}() return {i}, 'text {i}' end\n" for i in range(400)))
    assert (run.ending, run.reason) == (Ending.BAILED_OUT, "The file gave up: not enough memory")


def test_tap_of_its_own() -> None:
    source = 'print("1..2\\nok 1 - first\\nnot ok 2 - second # TODO later")'
    run = run_of(source, head="", job={"shim": False, "prefix": ""})
    assert run.good, run
    assert outcomes(run) == {"first": Outcome.PASSED, "second": Outcome.SKIPPED}


def test_a_library_that_does_not_load() -> None:
    async def scenario(board: Board) -> None:
        for library, words in ((b"local x = (", "unexpected symbol"), (None, "module 'NTest' not found")):
            with pytest.raises(AgentError, match=words):
                await run_file(board, Job("NTest_x.lua", b"", library=library))
        assert await board.files.ls() == {}

    on_a_board(scenario)


def test_files_that_were_there_stay() -> None:
    async def scenario(board: Board) -> None:
        await board.files.put("NTest_x.lua", "old")
        source = HEAD + 'N.test("x", function() ok(eq(require("more"), 7)) end)'
        told: list[bytes] = []
        job = Job("NTest_x.lua", source.encode(), {"more.lua": b"return 7"})
        run = await run_file(board, job, told=told.append)
        assert run.good, run
        assert b"TAP: POST 1..2" in b"".join(told)
        assert set(await board.files.ls()) == {"NTest_x.lua"}

    on_a_board(scenario)


#: Names of files, and those that are in the test command.
NAMES = ['a"b.lua', r"a\n.lua", "a\nb.lua", "\u00fc.lua", "\udcff.lua", '"' * 31, "\1" * 31, "%d.lua"]
HARDEST = ["a\nb.lua", "\udcff.lua", "\1" * 31]


@pytest.mark.parametrize("name", by_night(NAMES, but=HARDEST))
def test_a_file_may_have_any_name_that_the_board_can_have(name: str) -> None:
    async def scenario(board: Board) -> None:
        run = await run_file(board, Job(name, (HEAD + 'N.test("x", function() ok(true) end)').encode()))
        assert run.good, run
        assert await board.files.ls() == {}

    on_a_board(scenario)


def test_a_name_that_no_file_can_have() -> None:
    async def scenario(board: Board) -> None:
        with pytest.raises(UsageError):
            await run_file(board, Job("n" * 40, b""))

    on_a_board(scenario)
