from __future__ import annotations

import json
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from bridge.provision.model import ShelfFile
from scripts.json_schemas import EDITORS

FILE = next(path for path, model in EDITORS.items() if model is ShelfFile)
EXAMPLES = Path(__file__).parent.parent / "examples" / "provision"


def test_the_example_keeps_to_it_and_an_editor_finds_it() -> None:
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    text = (EXAMPLES / "shelf.yaml").read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (EXAMPLES / first.partition("=")[2]).resolve() == FILE.resolve()
    content = yaml.safe_load(text)
    assert [error.message for error in validator.iter_errors(content)] == []
    assert len(content["boards"]) == 8
    content["boards"][0]["colour"] = "red"
    assert list(validator.iter_errors(content))
