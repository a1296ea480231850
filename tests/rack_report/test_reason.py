from bridge.rack_report import Excerpt, TestReport
from bridge.rack_report.reason import reason


def test_a_finding_weighs_more_than_what_the_test_said() -> None:
    base = {"nodeid": "t", "outcome": "failed", "seconds": 1.0, "started": 0.0}
    said = Excerpt(head="\n  \nassert 1 == 2\nmore")
    assert reason(TestReport.model_validate({**base, "message": said}), 100) == "assert 1 == 2"
    assert reason(TestReport.model_validate({**base, "message": said, "findings": ["It hung."]}), 100) == "It hung."
    assert reason(TestReport.model_validate({**base, "message": said}), 8) == "assert …"
    assert reason(TestReport.model_validate(base), 100) == ""
