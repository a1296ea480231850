from hypothesis import given
from hypothesis import strategies as st

from bridge.ntest.discreet import discreet
from bridge.ntest.results import Assertion, Ending, FileRun, SubTest
from tests.ntest.rig import run_of

SECRET = "horse-staple-battery"


def test_no_part_of_it_has_a_secret() -> None:
    said = f'wifi.sta.config{{ssid="net", pwd="{SECRET}"}}'
    test = SubTest("x", 0.0, 0.1, [Assertion(False, 1, said, f"SKIP {said}")], f"before\n{said}\nafter", said)
    run = discreet(FileRun("a.lua", Ending.SILENT, said, [said], [test], said))
    assert SECRET not in str(run.to_json())
    assert run.sub_tests[0].console.startswith("before\n") and run.sub_tests[0].console.endswith("\nafter")
    assert run.reason.startswith("wifi.sta.config{ssid=")


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_borne(text: str) -> None:
    run = FileRun("a.lua", Ending.COMPLETE, text, [text], [SubTest("x", 0.0, console=text)], text)
    assert len(discreet(run).console) == len(text)


def test_a_run_on_a_board_is_discreet() -> None:
    run = run_of(f'N.test("x", function() print("password: {SECRET}") ok(false, "pwd={SECRET}") end)')
    assert "password:" in run.sub_tests[0].console
    assert SECRET not in str(run.to_json())
