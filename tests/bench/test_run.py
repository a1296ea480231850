from __future__ import annotations

import dataclasses

from bridge.bench.run import run_plan
from tests.bench.opened_rig import ROW, little_plan


def test_rows_the_host_and_other_programs_come_in_one_list() -> None:
    told: list[str] = []
    plan = dataclasses.replace(little_plan(host=True), against=("nodemcu-uploader",))
    (run,) = run_plan(plan, told.append)
    assert run["baud"] == ROW.baud
    for key in ("cpu_s_per_mb", "rfc2217_cpu_s_per_mb", "paced_921600_cpu_s_per_mb"):
        assert run["host"][key] > 0
    uploader = run["against"]["nodemcu-uploader"]
    for figures in (uploader, uploader["with_flash_cost"]):
        assert 0 < figures["upload_line_fraction"] < 1
    upload = run["upload"]
    assert (upload["clock"], upload["flash_cost"]) == ("wall", False)
    assert upload["with_flash_cost"]["flash_cost"]
    assert 0 < upload["with_flash_cost"]["line_fraction"] < 1
    assert 0 < upload["line_fraction"] < 1 and 0 < upload["virtual_clock_line_fraction"] < 1
    assert told == [
        "115200 baud, 1 ms",
        "the host's CPU time",
        "115200 baud, 1 ms: upload by the agent, wall clock, flash that takes no time",
        "115200 baud, 1 ms: upload by nodemcu-uploader, wall clock, flash that takes no time",
        "115200 baud, 1 ms: upload by the agent, wall clock",
        "115200 baud, 1 ms: upload by nodemcu-uploader, wall clock",
    ]
