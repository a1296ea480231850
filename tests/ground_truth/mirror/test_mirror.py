"""Every recording of `net`, its calls made through the mirror, gives what stock firmware gave.

Events, their order, arguments and codes, results, error texts, and what the peers saw. Where the mirror differs on
purpose, the difference stands in `differences.yaml` with a row of the table in docs/reference/mirror.md.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ground_truth.mirror.play import FOLDER, Difference, differences
from tests.ground_truth.mirror.scenarios import SCENARIOS

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "mirror.md"
LISTED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("differences.yaml").read_text(encoding="utf-8"))
ROWS: dict[str, dict[str, str]] = LISTED["rows"]
#: Recordings that a board with Lua 5.3 cannot give: it has neither that limit nor the collector's modes.
ONLY_51 = {"net_str4096"}
PLAYED = [(name, lua) for name in SCENARIOS for lua in ("5.1", "5.3") if lua == "5.1" or name not in ONLY_51]
PEERS = "peers"


def table_rows() -> list[list[str]]:
    """The rows of the table of differences, as their cells."""
    section = DOCUMENT.read_text(encoding="utf-8").split("## Where it differs", 1)[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def shown(difference: Difference) -> str:
    """A difference as text."""
    return f"{difference.step}: {difference.statement}\n  recorded {difference.recorded}\n  here     {difference.here}"


def reasons(name: str) -> dict[int | str, str]:
    """Step → row, for all that is listed of a recording."""
    listed = LISTED["recordings"].get(name, {})
    found = {step: row for row, steps in listed.items() for step in steps}
    assert len(found) == sum(map(len, listed.values())), f"{name}: a step is listed twice"
    return found


@pytest.mark.parametrize(("name", "lua"), PLAYED)
def test_the_mirror_answers_as_recorded(name: str, lua: str) -> None:
    listed = reasons(name)
    for difference in differences(name, lua):
        row = listed.pop(PEERS if difference.step is None else difference.step, None)
        assert row is not None, f"differs, and is not listed:\n{shown(difference)}"
        new = Counter(difference.here) - Counter(difference.recorded)
        wrong = [line for line in new if not re.fullmatch(ROWS[row]["shows"], line)]
        assert not wrong, f"differs by more than the row {row!r} says, with {wrong}:\n{shown(difference)}"
    assert not listed, f"is the same now: take it off differences.yaml: {listed}"


def test_every_recording_of_net_is_played() -> None:
    recorded = {path.stem for path in (FOLDER / "recordings").glob("*.json") if re.match("(net|dns)_", path.stem)}
    assert recorded == set(SCENARIOS) and len(recorded) == 25
    assert [name for name, scenario in SCENARIOS.items() if scenario.left_out is not None] == ["net_str4096"]
    page = (DOCUMENT.parents[1] / "ground-truth.md").read_text(encoding="utf-8")
    differing = len(LISTED["recordings"])
    assert f"| the same | {25 - differing} |" in page
    assert re.search(rf"\| the same but for rows of the .*\| {differing} \|", page)


def test_each_difference_has_its_row_and_each_row_its_difference() -> None:
    rows = table_rows()
    assert len(rows) <= 12
    assert all(len(row) == 4 and all(row) for row in rows), "a row without a reason"
    elsewhere: dict[str, list[str]] = LISTED["elsewhere"]
    assert sorted([row["what"] for row in ROWS.values()] + [*elsewhere]) == sorted(row[0] for row in rows)
    for test in itertools.chain(*elsewhere.values()):
        path, _, function = test.partition("::")
        assert f"def {function}(" in (DOCUMENT.parents[2] / path).read_text(encoding="utf-8"), f"there is no {test}"
    used = {row for listed in LISTED["recordings"].values() for row in listed}
    assert used == set(ROWS)


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: a refusal that the recording does not show is not overlooked."""
    monkeypatch.setitem(SCENARIOS, "net_peer_close", SCENARIOS["net_refused"])
    first, *_ = differences("net_peer_close")
    assert first.step == 1 and first.recorded[-1] == "EV disconnection\t0" and first.here[-1] == "EV reconnection\t-9"
