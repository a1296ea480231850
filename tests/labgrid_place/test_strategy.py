from __future__ import annotations

from pathlib import Path

import pytest

from tests.labgrid_place.conftest import PATIENCE
from tests.labgrid_place.laboratory import Laboratory
from tests.labgrid_place.native import run_native

pytestmark = PATIENCE
DRIVERS = "    drivers:\n      NodeMCUDriver: {}\n      NodeMCUStrategy: {}\n"


@pytest.mark.parametrize("place", [pytest.param("desk", marks=pytest.mark.nightly), "shelf"])
def test_in_an_environment_of_labgrid(lab: Laboratory, tmp_path: Path, place: str) -> None:
    env = lab.env_file(f"strategy-{place}.yaml", **{"main": place}, drivers=DRIVERS)
    lab.client("-p", place, "acquire")
    try:
        names = run_native("native_strategy", tmp_path, "--lg-env", str(env), TESTED_PLACE=place)
    finally:
        lab.client("-p", place, "release")
    assert len(names) == 3
