from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.errors import NoPlace, UsageError
from bridge.labgrid_place.rack import LabgridRack, ask
from tests.labgrid_place.conftest import PATIENCE
from tests.labgrid_place.laboratory import Laboratory

pytestmark = PATIENCE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("targets: [", "is no environment file of labgrid: "),
        ("just words", "is no environment file of labgrid: "),
        ("targets: {main: {resources: {}}}", "names no place of a coordinator. Give a target the resource RemotePlace"),
        ("targets: {main: {resources: {RemotePlace: {name: a}}}}\nimports: [no_such_module]", "No module named"),
    ],
)
def test_what_is_no_environment_is_one_sentence(lab: Laboratory, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "env.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        asyncio.run(ask(str(file)))
    assert "env.yaml" in str(raised.value) and why in str(raised.value)


def test_a_file_that_is_not_there_is_told(lab: Laboratory, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none.yaml is no environment file of labgrid"):
        asyncio.run(ask(str(tmp_path / "none.yaml")))


def test_places_are_named_by_targets(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(str(lab.env_file("two.yaml", left="shelf", right="desk")))
        assert [place.name for place in rack.places] == ["shelf", "desk"]
        with pytest.raises(NoPlace, match="knows no place nobody"):
            await LabgridRack.open(str(lab.env_file("nobody.yaml", main="nobody")))

    asyncio.run(main())
