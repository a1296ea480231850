from __future__ import annotations

import inspect

import pydantic
import pytest

from bridge.cli import fs_reports as reports

KINDS = [
    kind
    for _, kind in inspect.getmembers(reports, inspect.isclass)
    if issubclass(kind, pydantic.BaseModel) and kind is not pydantic.BaseModel
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_a_schema_that_says_what_it_is(kind: type[pydantic.BaseModel]) -> None:
    schema = kind.model_json_schema()
    assert schema["description"] and schema["type"] == "object"


def test_what_is_unknown_is_refused() -> None:
    good = {"port": "p", "via": "agent", "finished": []}
    reports.FsFormat.model_validate(good)
    for wrong in ({**good, "more": 1}, {**good, "via": "somebody"}, {"port": "p"}):
        with pytest.raises(pydantic.ValidationError):
            reports.FsFormat.model_validate(wrong)
