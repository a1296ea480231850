from __future__ import annotations

from pathlib import Path

from scripts.json_schemas import EDITORS, FOLDER, differences, editor_schema, wanted

ROOT = Path(__file__).parent.parent


def test_the_schemas_in_the_repository_are_those_of_the_models() -> None:
    assert differences(FOLDER, wanted()) == [], "run python scripts/json_schemas.py"
    for path, model in EDITORS.items():
        assert path.read_text(encoding="utf-8") == editor_schema(model), "run python scripts/json_schemas.py"


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    assert differences(tmp_path, {"a.json": "{}", "b.json": "[]"}) == [
        "a.json is missing", "b.json is not as the model is", "old.json belongs to no command",
    ]  # fmt: skip


def test_the_test_command_checks_them() -> None:
    assert "json_schemas.py" in (ROOT / "scripts" / "run_checks.py").read_text(encoding="utf-8")
