from __future__ import annotations

import json

from bridge.provision.report import BoardReport, Identity, ShelfReport


def test_what_a_program_reads_is_what_was_written() -> None:
    board = BoardReport(
        name="one", port=None, profile=None, ready=False, changed=[], files=[], verified=False, files_lost=False,
        checks=[], error="There is none.", seconds=0.5, identity=Identity(),
    )  # fmt: skip
    report = ShelfReport(file="shelf.yaml", ready=False, seconds=1.0, boards=[board])
    said = json.loads(report.model_dump_json())
    assert ShelfReport.model_validate(said) == report
    assert said["boards"][0]["identity"]["mac"] is None
