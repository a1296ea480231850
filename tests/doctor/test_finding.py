from __future__ import annotations

from bridge.doctor.finding import Finding
from bridge.errors import PortError


def test_an_error_becomes_what_is_and_what_to_do() -> None:
    finding = Finding.of("open", PortError("It is shut", port="/dev/x", remedy="Open it."))
    assert (finding.status, finding.what, finding.remedy) == ("fail", "/dev/x: It is shut.", "Open it.")
    assert str(finding) == "/dev/x: It is shut. Open it."
    assert str(Finding.of("open", PortError("It is shut"))) == "It is shut."
