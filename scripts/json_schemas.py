"""The JSON schemas that are made from models: schemas/<command>.json of what the commands print with --json, and those
of the YAML files that people write, for their editors.

python scripts/json_schemas.py            write them
python scripts/json_schemas.py --check    say which files are not as the models are; exit code 1 if any is
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pydantic import BaseModel

from bridge.cli.json_output import all_commands, declared_output, schema_of
from bridge.profile import Profile
from bridge.provision.model import ShelfFile
from bridge.rack.model import RackFile
from bridge.rack_report import RackReport

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "schemas"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
#: Schema of what is written at the end of a run → its model.
REPORTS: dict[str, type[BaseModel]] = {"rack-report.json": RackReport}
#: Schema for editors → model of the file that it describes.
EDITORS: dict[Path, type[BaseModel]] = {
    ROOT / "device_profiles" / "profile.schema.json": Profile,
    ROOT / "docs" / "reference" / "provision.schema.json": ShelfFile,
    ROOT / "docs" / "reference" / "rack.schema.json": RackFile,
}


def wanted() -> dict[str, str]:
    """File name → content, for every command that has --json.

    Raises:
        SystemExit: a command has --json and does not say what it prints.
    """
    files: dict[str, str] = {}
    for name, command in all_commands():
        output = declared_output(command)
        if output is not None:
            files[f"{name.replace(' ', '-')}.json"] = json.dumps(schema_of(name, output), indent=2) + "\n"
        elif any("--json" in parameter.opts for parameter in command.params):
            sys.exit(f"{name} has --json and no model: use @json_output(Model) of bridge.cli.json_output")
    for file, model in REPORTS.items():
        schema = {**model.model_json_schema(mode="serialization"), "title": f"nodemcu-bridge {file.split('.')[0]}"}
        files[file] = json.dumps({"$schema": _DRAFT, **schema}, indent=2) + "\n"
    return files


def editor_schema(model: type[BaseModel]) -> str:
    """The text of a schema for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def differences(folder: Path, files: dict[str, str]) -> list[str]:
    """What is wrong with a folder of schemas, a line for each file."""
    found = []
    there = {path.name for path in folder.glob("*.json")}
    for name in sorted(there | files.keys()):
        if name not in files:
            found.append(f"{name} belongs to no command")
        elif name not in there:
            found.append(f"{name} is missing")
        elif (folder / name).read_text(encoding="utf-8") != files[name]:
            found.append(f"{name} is not as the model is")
    return found


def main() -> int:
    """Write or check; 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    files = wanted()
    if parser.parse_args().check:
        wrong = [f"schemas/{line}" for line in differences(FOLDER, files)]
        for path, model in EDITORS.items():
            if not path.exists() or path.read_text(encoding="utf-8") != editor_schema(model):
                wrong.append(f"{path.relative_to(ROOT)} is not as the model is")
        for line in wrong:
            print(f"{line}; run python scripts/json_schemas.py")
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    for path, model in EDITORS.items():
        path.write_text(editor_schema(model), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
