"""The documentation names what there is, and what it names is there."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import errors
from bridge.cli import COMMANDS
from bridge.virtual.options import VirtualOptions
from tests.test_layers import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "firmware" / "README.md"]
PAGES += [ROOT / "device_profiles" / "README.md", ROOT / "CHANGELOG.md"]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target and not (page.parent / target).exists():
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("option", dataclasses.fields(VirtualOptions), ids=lambda option: option.name)
def test_every_option_of_the_virtual_board_is_explained(option: dataclasses.Field[object]) -> None:
    page = (ROOT / "docs" / "reference" / "virtual-board.md").read_text()
    assert f"| `{option.name}` |" in page
    assert option.metadata["help"] in page


@pytest.mark.parametrize("name", [name for name, each in inspect.getmembers(errors, inspect.isclass)])
def test_every_error_is_explained(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "reference" / "errors.md").read_text() or name == "BridgeError"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained(name: str) -> None:
    assert f"## {name}\n" in (ROOT / "docs" / "reference" / "cli.md").read_text()


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_python_in_the_pages_is_python(page: Path) -> None:
    for block in python_blocks(page):
        compile(block, relative(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_first_program_of_the_readme_runs() -> None:
    [program] = python_blocks(ROOT / "README.md")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert re.search(r"^127\.\S+ says: hello from the board$", run.stdout, re.MULTILINE)
