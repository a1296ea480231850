"""The JSON schema of provisioning files, for editors: docs/reference/provision.schema.json, made from the model.

python scripts/provision_schema.py            write it
python scripts/provision_schema.py --check    exit code 1 if it is not what the model says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bridge.provision.model import ShelfFile

FILE = Path(__file__).parent.parent / "docs" / "reference" / "provision.schema.json"


def render() -> str:
    """The file's text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **ShelfFile.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file or check it; the exit code."""
    text = render()
    if arguments == ["--check"]:
        if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{FILE.name} is not what the model says: run python scripts/provision_schema.py")
        return 1
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
