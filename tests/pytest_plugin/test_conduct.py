from __future__ import annotations

from pathlib import Path

import pytest

from bridge.pytest_plugin.conduct import Conduct
from bridge.rack.health import Evidence, quarantined
from bridge.rack.model import Place, RackFile
from bridge.rack.rack import Rack


def rack(folder: Path) -> Rack:
    places = [
        Place(name="a", port="rfc2217://127.0.0.1:1"), Place(name="b", port="rfc2217://127.0.0.1:2"),
        Place(name="v", port="virtual:"),
    ]  # fmt: skip
    return Rack(RackFile(version=1, places=places), folder=folder)


def test_places_of_a_rack_file_are_noted_in_its_folder(tmp_path: Path) -> None:
    the_rack = rack(tmp_path)
    conduct, place = Conduct(the_rack, lasting=True), the_rack.place("a")
    assert [conduct.failed(place, Evidence("hangs")) is None for _ in range(3)] == [True, True, False]
    assert quarantined(place, folder=tmp_path) is not None
    assert conduct.out() == frozenset(), "the rack itself knows"


def test_ports_of_a_command_line_are_noted_for_the_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", tmp_path.name)
    the_rack = rack(tmp_path)
    conduct = Conduct(the_rack, lasting=False)
    for _ in range(3):
        conduct.failed(the_rack.place("a"), Evidence("hangs"))
        conduct.failed(the_rack.place("v"), Evidence("hangs"))
        conduct.failed(the_rack.place("b"), Evidence("hangs"))
        conduct.worked(the_rack.place("b"))
    assert conduct.out() == {"a"}, "b has worked in between, and v is another board in each process"
    assert not list(tmp_path.iterdir())
    conduct.close()
    assert conduct.out() == frozenset()
