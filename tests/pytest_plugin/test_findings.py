from __future__ import annotations

import json

from bridge.pytest_plugin.findings import OF_EITHER, OF_TEST, Finding, Visit


def test_facts_are_plain_values_for_json_and_other_processes() -> None:
    visit = Visit("shelf-1", "virtual:", None, "t1", heap=[(0.0, 36_000), (1.23456, 35_000)], waited=0.12345)
    visit.findings += [Finding("heap", "left 300 bytes"), Finding("error", "Lua erred", ("t1",))]
    facts = visit.facts("test")
    assert json.loads(json.dumps(facts)) == facts
    assert facts["heap"] == [[0.0, 36_000], [1.235, 35_000]]
    assert (facts["finding"], facts["kinds"], facts["charged_to"]) == (
        "left 300 bytes; Lua erred", ["heap", "error"], "test",
    )  # fmt: skip
    assert Visit("shelf-1", "virtual:", None, "t1").facts(None)["finding"] is None


def test_each_kind_is_somebodys() -> None:
    assert not OF_TEST & OF_EITHER
