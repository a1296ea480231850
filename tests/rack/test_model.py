from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import yaml

from bridge.rack.model import RackFile
from tests.rack.test_load import FULL

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "rack.schema.json"


def test_the_schema_for_editors_takes_what_the_program_takes() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(yaml.safe_load(FULL), schema)
    assert schema["properties"].keys() == RackFile.model_fields.keys()
