from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.rack import rack
from bridge.errors import UsageError
from bridge.rack.load import VARIABLE

FILE = "version: 1\nplaces: [{name: own, port: 'virtual:'}]\n"


def test_a_file_or_the_variable_names_the_rack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rack.yaml"
    file.write_text(FILE)
    said = CliRunner().invoke(rack, ["status", "--rack", str(file)])
    assert said.exit_code == 0 and said.output.startswith("own  own"), said
    monkeypatch.setenv(VARIABLE, str(file))
    assert CliRunner().invoke(rack, ["status"]).output == said.output


@pytest.mark.parametrize("arguments", [["--labgrid", "a.yaml", "--rack", "b.yaml"], []])
def test_one_rack_must_be_named(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    said = CliRunner().invoke(rack, ["status", *arguments])
    assert isinstance(said.exception, UsageError) and "Give" in str(said.exception)
