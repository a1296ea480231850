from __future__ import annotations

from pathlib import Path

import pytest

from bridge.pytest_plugin.telling import tell
from bridge.rack.model import Place, RackFile
from bridge.rack.needs import Needs
from bridge.rack.rack import Rack


def test_a_line_says_who_waits_for_what(
    pytester: pytest.Pytester, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rack = Rack(RackFile(version=1, places=[Place(name="a", port="rfc2217://127.0.0.1:1")]), folder=tmp_path)
    config = pytester.parseconfig("-s")
    tell(config, rack, "test_x.py::test_it", Needs(modules=frozenset({"tls"})))
    assert (
        "test_x.py::test_it waits for module tls; held are none, and others came first"
        in capsys.readouterr().err.splitlines()
    )
