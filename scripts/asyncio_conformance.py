"""Which of CPython's own tests of asyncio our contract suite covers, and why not the others.

python scripts/asyncio_conformance.py           check docs/asyncio-conformance.yaml, and write the page from it
python scripts/asyncio_conformance.py --check   only say what is wrong; exit code 1 if anything is
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
ROWS = ROOT / "docs" / "asyncio-conformance.yaml"
PAGE = ROOT / "docs" / "asyncio-conformance.md"

INTRODUCTION = """\
# What asyncio's own tests cover

Tests of CPython {python} (`Lib/test/test_asyncio`) for streams, transports, servers, datagrams and TLS, by name:
{covered} of {all} behaviours are in our contract suite, which runs against asyncio's own sockets and a board's alike;
the others have a reason.

`python scripts/asyncio_conformance.py` writes this page from [asyncio-conformance.yaml](asyncio-conformance.yaml).
`scripts/test` fails when a row names no test of the suite, or when CPython has a test that no row names.\
"""


@dataclass(frozen=True)
class Row:
    """Tests of CPython, and what became of them.

    Args:
        names: of CPython's tests.
        tests: of ours, as `path::name`.
        excluded: why there is none.
    """

    names: tuple[str, ...]
    tests: tuple[str, ...]
    excluded: str


@dataclass(frozen=True)
class Suite:
    """A class of CPython's tests.

    Args:
        file, name: where it is.
        only: a pattern, if not all of its tests are about sockets.
        rows: what became of them.
    """

    file: str
    name: str
    only: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Conformance:
    """The data file."""

    python: str
    suites: tuple[Suite, ...]


def read_conformance(path: Path = ROWS) -> Conformance:
    """What the data file says, its short names written out."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    suites = []
    for suite in data["suites"]:
        rows = []
        for row in suite["rows"]:
            parts = [each.partition("::") for each in row.get("tests", ())]
            tests = tuple(f"{data['files'].get(file, file)}::{name}" for file, _, name in parts)
            reason = row.get("excluded", "")
            rows.append(Row(tuple(row["names"]), tests, data["reasons"].get(reason, reason)))
        suites.append(Suite(suite["file"], suite["class"], suite.get("only", ""), tuple(rows)))
    return Conformance(str(data["python"]), tuple(suites))


def our_tests(root: Path) -> dict[str, set[str]]:
    """Tests of the contract suite that run in asyncio's world and in a board's: file → names."""
    found = {}
    for path in sorted((root / "tests" / "streams").glob("test_contract_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[path.relative_to(root).as_posix()] = {
            node.name
            for node in tree.body
            if isinstance(node, ast.AsyncFunctionDef)
            and node.name.startswith("test_")
            and "world" in [each.arg for each in node.args.args]
            and _in_both(node)
        }
    return found


def _in_both(node: ast.AsyncFunctionDef) -> bool:
    marks = [ast.unparse(each) for each in node.decorator_list if "mark.world" in ast.unparse(each)]
    return all("'asyncio'" in mark and "'board" in mark for mark in marks)


def their_tests(file: str, name: str) -> set[str] | None:
    """Names of the tests of a class of CPython's, or None if this Python comes without its tests."""
    spec = importlib.util.find_spec("test")
    if spec is None or spec.submodule_search_locations is None:
        return None
    for folder in spec.submodule_search_locations:
        path = Path(folder, "test_asyncio", file)
        if path.is_file():
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and node.name == name:
                    functions = [each for each in node.body if isinstance(each, ast.FunctionDef)]
                    return {each.name for each in functions if each.name.startswith("test_")}
    return None


def faults(conformance: Conformance, root: Path = ROOT) -> list[str]:
    """What is wrong with the rows, a sentence each."""
    ours, found = our_tests(root), []
    same = conformance.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    for suite in conformance.suites:
        where = f"{suite.file} {suite.name}"
        names = [name for row in suite.rows for name in row.names]
        found += [
            f"{where}.{name}: is in two rows" for name in sorted({each for each in names if names.count(each) > 1})
        ]
        for row in suite.rows:
            if bool(row.tests) == bool(row.excluded):
                found.append(f"{where}.{row.names[0]}: has either tests or a reason")
            for test in row.tests:
                path, _, name = test.partition("::")
                if name not in ours.get(path, ()):
                    found.append(f"{where}.{row.names[0]}: there is no test {test} in asyncio's world and a board's")
        theirs = their_tests(suite.file, suite.name) if same else None
        if theirs is not None:
            theirs = {name for name in theirs if re.search(suite.only, name)}
            found += [f"{where}.{name}: has no row" for name in sorted(theirs - {*names})]
            found += [
                f"{where}.{name}: is no test of CPython {conformance.python}" for name in sorted({*names} - theirs)
            ]
    return found


def render(conformance: Conformance) -> str:
    """The page."""
    rows = [row for suite in conformance.suites for row in suite.rows]
    count, covered = sum(len(row.names) for row in rows), sum(len(row.names) for row in rows if row.tests)
    lines = [INTRODUCTION.format(python=conformance.python, all=count, covered=covered)]
    for suite in conformance.suites:
        lines += ["", f"## `{suite.file}`: `{suite.name}`", "", "| CPython's tests | Ours, or why not |", "|---|---|"]
        for row in suite.rows:
            links = [f"[{test.partition('::')[2]}](../{test.partition('::')[0]})" for test in row.tests]
            lines.append(f"| {', '.join(f'`{name}`' for name in row.names)} | {'<br>'.join(links) or row.excluded} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or check it; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    conformance = read_conformance()
    found, page = faults(conformance), render(conformance)
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        found.append(f"{PAGE.relative_to(ROOT)} is not what the rows say: run python scripts/asyncio_conformance.py")
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(page.splitlines()[3])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
