import json

from bridge.ntest.results import Assertion, Ending, FileRun, Outcome, SubTest

GOOD, BAD = Assertion(True, 1, "here"), Assertion(False, 2, "there")
EXCUSED = Assertion(False, 3, "later", "TODO later")


def test_the_outcome_of_a_sub_test() -> None:
    assert SubTest("none", 0.0).outcome is Outcome.PASSED
    assert SubTest("good", 0.0, assertions=[GOOD]).outcome is Outcome.PASSED
    assert SubTest("bad", 0.0, assertions=[GOOD, BAD]).outcome is Outcome.FAILED
    assert SubTest("cut off", 0.0, assertions=[GOOD], unfinished="gone").outcome is Outcome.UNFINISHED
    assert SubTest("excused", 0.0, assertions=[EXCUSED]).outcome is Outcome.SKIPPED
    assert SubTest("half excused", 0.0, assertions=[GOOD, EXCUSED]).outcome is Outcome.PASSED


def test_why_it_did_not_pass() -> None:
    assert SubTest("bad", 0.0, assertions=[GOOD, BAD], unfinished="gone").why == "there\ngone"
    assert SubTest("excused", 0.0, assertions=[EXCUSED]).why == "TODO later"
    assert SubTest("good", 0.0, assertions=[GOOD]).why == ""


def test_a_run_is_good_when_all_of_it_is() -> None:
    good = FileRun("a.lua", Ending.COMPLETE, sub_tests=[SubTest("good", 0.0, assertions=[GOOD])])
    assert good.whole and good.good and good.why == ""
    failing = FileRun("a.lua", Ending.COMPLETE, sub_tests=[SubTest("bad", 0.0, assertions=[BAD])])
    assert failing.whole and not failing.good
    lines = FileRun("a.lua", Ending.COMPLETE, problems=["A line is missing"])
    assert not lines.whole and not lines.good and lines.why == "A line is missing"
    silent = FileRun("a.lua", Ending.SILENT, "Nothing came", ["A line is missing"])
    assert not silent.whole and silent.why == "Nothing came\nA line is missing"


def test_it_travels_as_json() -> None:
    test = SubTest("x", 1.5, 0.25, [GOOD, EXCUSED], "said\n", "gone")
    run = FileRun("a.lua", Ending.RESTARTED, "It restarted", ["odd"], [test], "between", 3.0)
    assert FileRun.from_json(json.loads(json.dumps(run.to_json()))) == run
