"""The JSON schemas of what the commands print with --json: schemas/<command>.json, from the models in bridge/cli.

python scripts/json_schemas.py            write schemas/
python scripts/json_schemas.py --check    say which files are not as the models are; exit code 1 if any is
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bridge.cli.json_output import all_commands, declared_output, schema_of

FOLDER = Path(__file__).parent.parent / "schemas"


def wanted() -> dict[str, str]:
    """File name → content, for every command that has --json.

    Raises:
        SystemExit: a command has --json and does not say what it prints.
    """
    files = {}
    for name, command in all_commands():
        output = declared_output(command)
        if output is not None:
            files[f"{name.replace(' ', '-')}.json"] = json.dumps(schema_of(name, output), indent=2) + "\n"
        elif any("--json" in parameter.opts for parameter in command.params):
            sys.exit(f"{name} has --json and no model: use @json_output(Model) of bridge.cli.json_output")
    return files


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
        wrong = differences(FOLDER, files)
        for line in wrong:
            print(f"schemas/{line}; run python scripts/json_schemas.py")
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
