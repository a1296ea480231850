"""The project's shape: tests mirror modules, modules stay one thing, and nothing ties a file to one machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import bridge
from tests.test_layers import MODULES, PACKAGE, ROOT

#: Hand-written modules are mostly below 300 lines, and never above this.
LONGEST = 400

#: Modules that hold declarations only, or that are run by the tests of the module beside them.
WITHOUT_TESTS: dict[str, str] = {
    "bridge/pytest_plugin/keys.py": "declarations; whole runs use them",
    "bridge/labgrid_place/coordinator.py": "imports labgrid; the tests of racks, turns and keepers drive it there",
    "bridge/labgrid_place/driver.py": "imports labgrid; the strategy's tests drive it there",
    "bridge/labgrid_place/resource.py": "declarations",
    "bridge/ports/base.py": "a contract; the tests of each port hold it to it",
    "bridge/ports/device.py": "a way to open what `serial.py` and `served.py` are tested on",
    "bridge/rack/ends.py": "what a relay connects; test_relay.py and test_served.py run both kinds",
    "bridge/rack/kept.py": "the leases of a keeper; test_keeper.py runs them",
    "bridge/rack/pair.py": "what a relay is made of; test_relay.py runs it",
    "bridge/proxy/limits.py": "declarations; the tests of each part set them",
    "bridge/proxy/serving.py": "declarations; every part's tests use them",
    "bridge/virtual/lua/api.py": "declarations; every module's tests use them",
    "bridge/virtual/lua/services.py": "a contract; the kernel is tested against the VM",
    "bridge/virtual/lwip/wire.py": "a contract; both networks are tested against the stack",
    "bridge/virtual/sdk/kernel.py": "a contract",
}

#: Folders that git leaves out.
NOT_OURS = {"__pycache__", "node_modules"}

#: Text that has no business in the project: paths of a machine, hosts of package registries.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(work|root|farm)/|/tmp/(?!\{)\w"),
    "a package registry's host": re.compile(r"\bpypi\.org|pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org"),
}

NAMES_OF_NOTHING = {"utils", "util", "helpers", "common", "core", "manager", "misc"}


def texts() -> list[Path]:
    """All hand-written text files of the project."""
    found = []
    for top in ("bridge", "tests", "scripts", "docs", "examples", "firmware", "device_profiles", ".ci"):
        found += [path for path in (ROOT / top).rglob("*") if path.is_file() and not NOT_OURS & {*path.parts}]
    found += [path for path in ROOT.glob("*") if path.is_file() and path.suffix in (".md", ".toml", ".yaml")]
    binary = (".pyc", ".bin", ".png", ".json")
    return [path for path in found if path.suffix not in binary and path.name != "test_layout.py"]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=relative)
def test_each_module_has_its_test(path: Path) -> None:
    name = relative(path)
    if name in WITHOUT_TESTS:
        return
    within = path.relative_to(PACKAGE)
    stem = within.stem.removeprefix("__").removesuffix("__")
    mirror = ROOT / "tests" / within.parent / f"test_{stem}.py"
    assert mirror.exists(), f"{name} has no {relative(mirror)}"


def test_what_is_excused_from_tests_exists() -> None:
    assert [name for name in WITHOUT_TESTS if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_one_thing(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST, "split it by noun"
    assert path.stem not in NAMES_OF_NOTHING


@pytest.mark.parametrize("path", [path for path in MODULES if path.read_text()], ids=relative)
def test_public_names_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = [] if ast.get_docstring(tree) else [relative(path)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                silent.append(f"{relative(path)}:{node.lineno} {node.name}")
    assert not silent, f"no docstring: {', '.join(silent)}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_ties_a_file_to_one_machine(what: str) -> None:
    found = []
    for path in texts():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{relative(path)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


def test_the_top_level_holds_what_the_plan_names() -> None:
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".ci/run"):
        assert (ROOT / name).stat().st_size > 0, name
    for name in ("bridge", "firmware", "device_profiles", "tests", "tests/hil", "scripts", "examples", "docs"):
        assert (ROOT / name).is_dir(), name


@pytest.mark.parametrize("name", ["demo", "test", "check", "hil", "nightly", "fuzz"])
def test_the_commands_can_be_run(name: str) -> None:
    assert (ROOT / "scripts" / name).stat().st_mode & 0o111


def test_the_public_names_are_there() -> None:
    for name in bridge.__all__:
        assert getattr(bridge, name) is not None
