from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bridge.profile import Profile
from scripts.json_schemas import EDITORS, editor_schema

FILE = next(path for path, model in EDITORS.items() if model is Profile)
PROFILES = sorted(FILE.parent.glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_an_editor_finds_the_schema_and_every_profile_keeps_to_it(path: Path, validator: Draft202012Validator) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={FILE.name}"
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "x", "colour": "red"},
        {"name": "x", "flash": {"sise": 1}},
        {"name": "x", "flash": {"mode": "fast"}},
        {"name": "x", "match": [{"vendor": 1}]},
        {"name": "x", "pins": {"names": {"D1": 13}}},
        {"name": "x", "strapping": {"PIN0": "low"}},
        {"name": "x", "bauds": []},
    ],
)
def test_an_editor_sees_mistakes_too(wrong: dict[str, Any], validator: Draft202012Validator) -> None:
    assert not validator.is_valid(wrong)


def test_every_key_is_explained() -> None:
    schema = json.loads(editor_schema(Profile))
    for part in (schema, *schema["$defs"].values()):
        for key, rule in part["properties"].items():
            assert "description" in rule or "$ref" in rule, key
