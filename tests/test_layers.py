"""The import ladder: a room imports only rooms below it, and foreign packages have one home each.

    errors ← wire ← ports ← link, trace ← repl, agent ← mirror ← files, streams ← board ← opening ← sync
    ← integrations, doctor, terminal, ntest ← pytest_plugin, cli

`virtual` hangs off `errors` and the contract of a port alone: if it shared code with the bridge, the bugs of both could
cancel out. What a module imports inside a function counts as well; only what is imported for type checking does not.
"""

from __future__ import annotations

import ast
import functools
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "bridge"

#: Room → rooms it may import (besides itself). A room is a module or a folder directly under bridge/.
LADDER: dict[str, set[str]] = {
    "errors": set(),
    "ending": set(),
    "child_python": set(),
    "resources": {"errors"},
    "image": {"errors"},
    "lifecycle": {"errors"},
    "handlers": {"errors"},
    "wire": {"errors"},
    "ports": {"errors", "resources", "ending"},
    "yaml_file": {"errors"},
    "folders": {"errors"},
    "profile": {"errors", "resources", "ports", "folders", "yaml_file"},
    "link": {"errors", "wire", "ports", "trace"},
    "trace": {"errors", "wire", "ports"},
    "repl": {"errors", "wire", "ports", "trace"},
    "agent": {"errors", "wire", "ports", "resources", "repl", "link", "agent_source", "loader", "trace"},
    "loader_lines": {"errors", "wire"},
    "loader_talk": {"errors", "ports", "repl", "loader_lines"},
    "loader": {"errors", "wire", "ports", "repl", "loader_lines", "loader_talk"},
    "inspect": {"errors", "ports", "repl", "loader", "agent_source"},
    "minify": {"errors"},
    "agent_source": {"errors", "wire", "resources", "minify"},
    "speeds": {"errors", "folders", "ports", "link"},
    "mirror": {"errors", "wire", "link"},
    "streams": {"errors", "wire", "link", "mirror"},
    "firmware": {"errors", "resources", "folders", "yaml_file", "image"},
    "files": {"errors", "wire", "link", "ports", "mirror", "trace"},
}
LADDER["board"] = {*LADDER}
LADDER["opening"] = {*LADDER}
LADDER["flashing"] = {
    "errors",
    "child_python",
    "folders",
    "ports",
    "image",
    "profile",
    "repl",
    "files",
    "board",
    "opening",
}
LADDER["flash"] = {*LADDER["flashing"], "flashing"}
LADDER["identify"] = {"errors", "ports", "inspect", "flash", "flashing"}
LADDER["insight"] = {"errors", "wire", "mirror", "board"}
LADDER["provision"] = {*LADDER}
LADDER["portal"] = {"errors"}
LADDER["sync"] = {*LADDER}
LADDER["lost"] = {"errors", "lifecycle", "board"}
LADDER["proxy"] = {"errors", "mirror", "streams", "board", "lost", "portal", "sync"}
LADDER["forward"] = {"errors", "lifecycle", "mirror", "streams", "board", "lost", "portal", "sync"}
LADDER["integrations"] = {"errors", "streams", "portal", "board", "sync"}
LADDER["comparison"] = {*LADDER}
LADDER["demo"] = {*LADDER}
LADDER["bench"] = {*LADDER}
LADDER["rack"] = {*LADDER}
LADDER["peers"] = {"errors", "board"}
LADDER["labgrid_place"] = {*LADDER}
LADDER["terminal"] = {*LADDER}
LADDER["doctor"] = {*LADDER}
LADDER["rack_report"] = set()
LADDER["rack_demo"] = {*LADDER}
LADDER["ntest"] = {"errors", "wire", "ports", "trace", "resources", "minify", "repl", "files", "board"}
LADDER["pytest_plugin"] = {*LADDER}
LADDER["cli"] = {*LADDER}

#: The virtual board: itself, the error tree, the contract of a port, how a process is started, and nothing else.
VIRTUAL = {"bridge.errors", "bridge.ports.base", "bridge.resources", "bridge.child_python"}

#: Modules outside `virtual` that may make a virtual board, because they are asked for one by name.
MAKERS = {
    "bridge.ports.open",
    "bridge.flash",
    "bridge.cli.repl",
    "bridge.cli.virtual",
    "bridge.cli.virtual_image",
    "bridge.cli.calibrate",
    "bridge.demo",
    "bridge.bench",
}

#: Foreign package → the only modules or rooms that may import it.
HOMES: dict[str, set[str]] = {
    "serial": {"bridge.ports"},
    "serial_asyncio": {"bridge.ports"},
    "filelock": {"bridge.ports", "bridge.pytest_plugin"},
    "lupa": {"bridge.virtual.lua"},
    "prompt_toolkit": {"bridge.terminal"},
    # GPL, and one logger per process: it runs as a process of its own. Only the launcher that is one imports it.
    "esptool": {"bridge.ports"},
    "nodemcu_uploader": {"bridge.ports"},
    "click": {"bridge.cli"},
    "pytest": {"bridge.pytest_plugin", "bridge.rack_demo.mishaps"},
    "rich": {"bridge.cli", "bridge.demo", "bridge.bench"},
    "yaml": {"bridge.yaml_file", "bridge.comparison", "bridge.rack_demo"},
    "pydantic": {
        "bridge.yaml_file",
        "bridge.profile",
        "bridge.firmware",
        "bridge.provision",
        "bridge.rack",
        "bridge.rack_report",
        "bridge.labgrid_place",
        "bridge.cli",
    },
    "keyring": {"bridge.provision"},
    "_pytest": {"bridge.pytest_plugin"},
    "cryptography": {"bridge.peers", "bridge.virtual.modules", "bridge.virtual.mbedtls"},
    # In an environment of its own: its pyserial overwrites the usual one.
    "labgrid": {"bridge.labgrid_place"},
    "grpc": {"bridge.labgrid_place.coordinator"},
    "attr": {"bridge.labgrid_place"},
    "httpcore": {"bridge.integrations.httpcore", "bridge.integrations.httpx"},
    "httpx": {"bridge.integrations.httpx"},
    "aiohttp": {"bridge.integrations.aiohttp"},
    "anyio": {"bridge.integrations.anyio"},
    "uvicorn": {"bridge.integrations.uvicorn"},
    "tap": {"bridge.ntest"},
    "tlslite": {"bridge.virtual.mbedtls"},
}

#: Pure rooms: they are told the time, and do no I/O and no chance of their own.
_IMPURE = {"time", "asyncio", "random", "socket", "threading", "select", "os"}
PURE = {
    "bridge.wire": _IMPURE,
    "bridge.proxy.socks5": _IMPURE,
    "bridge.proxy.socks5_datagram": _IMPURE,
    "bridge.proxy.http_head": _IMPURE,
    "bridge.ntest.dialect": _IMPURE,
    "bridge.ntest.outline": _IMPURE,
    "bridge.ntest.reading": _IMPURE,
    "bridge.ntest.results": _IMPURE,
}


@dataclass(frozen=True)
class Import:
    """One import statement's target."""

    importer: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer.replace('.', '/')}.py:{self.line} imports {self.target}"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(path: Path) -> list[Import]:
    """All imports of a module that run, wherever they stand in it."""
    name = module_name(path)
    found: list[Import] = []

    def visit(node: ast.AST) -> None:
        if type_checking(node):
            return
        if isinstance(node, ast.Import):
            found.extend(Import(name, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            # `from bridge import errors` names a module, `from bridge.errors import BridgeError` an object in one.
            found.extend(
                Import(name, f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base, node.lineno)
                for alias in node.names
            )
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def inside(name: str, places: set[str]) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "bridge"


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)


@functools.cache
def imports() -> tuple[Import, ...]:
    return tuple(each for path in MODULES for each in imports_of(path))


def test_every_room_has_its_place_on_the_ladder() -> None:
    rooms = {room(module_name(path)) for path in MODULES} - {"bridge"}
    assert rooms <= {*LADDER, "virtual"}, "a new room: say in LADDER what it may import"


@pytest.mark.parametrize("name", sorted(LADDER))
def test_a_room_imports_only_rooms_below_it(name: str) -> None:
    wrong = [
        str(each)
        for each in imports()
        if room(each.importer) == name
        and inside(each.target, {"bridge"})
        and room(each.target) not in {*LADDER[name], name, "bridge"}
        and not (room(each.target) == "virtual" and inside(each.importer, MAKERS))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_virtual_board_shares_no_code_with_the_bridge() -> None:
    wrong = [
        str(each)
        for each in imports()
        if room(each.importer) == "virtual"
        and inside(each.target, {"bridge"})
        and not inside(each.target, {"bridge.virtual", *VIRTUAL})
        and each.target != "bridge"
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", sorted(HOMES))
def test_a_foreign_package_has_one_home(package: str) -> None:
    wrong = [
        str(each) for each in imports() if inside(each.target, {package}) and not inside(each.importer, HOMES[package])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pure", sorted(PURE))
def test_a_pure_room_does_no_io(pure: str) -> None:
    wrong = [
        str(each) for each in imports() if inside(each.importer, {pure}) and each.target.split(".")[0] in PURE[pure]
    ]
    assert not wrong, "\n".join(wrong)


def test_only_known_foreign_packages_are_imported() -> None:
    foreign = {
        each.target.split(".")[0] for each in imports() if each.target.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign <= {"bridge", *HOMES}, f"no home is named in HOMES for {sorted(foreign - {'bridge', *HOMES})}"
