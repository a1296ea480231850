from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.rack_report import RackReport
from tests.rack_report.runs import made_run


def test_a_key_that_is_not_of_the_model_is_refused() -> None:
    content = made_run(1, 2).model_dump()
    with pytest.raises(ValidationError):
        RackReport.model_validate({**content, "surplus": 1})


def test_the_totals_add_up() -> None:
    totals = made_run(4, 60).totals
    assert totals.tests == 60
    assert totals.passed + totals.failed + totals.errors + totals.skipped + totals.xfailed + totals.xpassed == 60
    assert totals.charged_to_board + totals.charged_to_test == totals.failed + totals.errors
    assert (totals.boards, totals.sick, totals.quarantined, totals.again) == (4, 1, 1, 2)
