"""Which test proves each entry of NodeMCU's documentation of `net` and `tls`: docs/net-coverage.yaml as a page.

python scripts/net_coverage.py            write docs/net-coverage.md
python scripts/net_coverage.py --check    say what is wrong with the rows or the page; exit code 1 if anything is
python scripts/net_coverage.py --document docs/modules/net.md --document docs/modules/tls.md
                                          also compare the entries with these files of the firmware's sources
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
ROWS = ROOT / "docs" / "net-coverage.yaml"
PAGE = ROOT / "docs" / "net-coverage.md"

INTRODUCTION = """\
# Coverage of `net` and `tls`

Each function, method, event, constant and example of NodeMCU's documentation, how it is written in Python, and the
tests that prove it: {rows} rows, {tests} tests. Tests in `tests/hil` run on any board, and `scripts/hil` plays them on
yours; those in `tests/examples` run the example as a program; both have real peers. In `tests/mirror` time and the
network are virtual.

`python scripts/net_coverage.py` writes this page from [net-coverage.yaml](net-coverage.yaml). `scripts/test` fails when
an entry of the documentation has no row, when a row has no test, and when a test that is named does not exist, is not
run, or does not hold what the row is about.\
"""


@dataclass(frozen=True)
class Row:
    """One entry of a document, its form in Python, and what proves it.

    Args:
        entry: as the document names it; forms, events and examples behind the name of their function.
        python: how it is written here.
        tests: `path::name` of each.
        shows: text that the tests must hold, when it is not what the entry's name says.
        note: what to know.
    """

    entry: str
    python: str
    tests: tuple[str, ...]
    shows: str | None = None
    note: str = ""

    @property
    def needle(self) -> str:
        """What a test of this entry cannot do without."""
        if self.shows is not None:
            return self.shows
        if event := re.search(r' event "(\w+)"$', self.entry):
            return f'"{event[1]}"'
        if " example " in self.entry:
            return self.python.removeprefix("examples/")
        last = re.sub(r"\(.*", "", self.entry).replace(":", ".").rpartition(".")[2]
        return f".{last}"


@dataclass(frozen=True)
class Section:
    """Rows that stand together on the page."""

    title: str
    about: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Coverage:
    """The data file.

    Args:
        documents: "net" and "tls" → the entries of that page, all of which need a row.
        sections: the rows; more than the entries, because a page leaves out things and hides forms in its text.
    """

    documents: dict[str, tuple[str, ...]]
    sections: tuple[Section, ...]

    @property
    def rows(self) -> list[Row]:
        """Those of all sections."""
        return [row for section in self.sections for row in section.rows]


def read_coverage(path: Path = ROWS) -> Coverage:
    """What the data file says."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    sections = []
    for section in data["sections"]:
        rows = [
            Row(
                str(row["entry"]), str(row.get("python") or ""), tuple(row.get("tests") or ()),
                row.get("shows"), str(row.get("note") or ""),
            )
            for row in section["rows"]
        ]  # fmt: skip
        sections.append(Section(section["title"], section["about"], tuple(rows)))
    return Coverage({name: tuple(entries) for name, entries in data["documents"].items()}, tuple(sections))


# --- the documents ---


def entries_of(document: str) -> Iterator[str]:
    """The entries of a NodeMCU module page: constants, functions, their forms, events and examples."""
    for heading, text in re.findall(r"^#+ (.+)\n((?:(?!##? ).*\n)*)", document + "\n", re.MULTILINE):
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        if heading == "Constants":
            yield from re.findall(r"`(\w+\.[A-Z]+)`", prose)
        name = heading.removesuffix(" function").removesuffix(" Module")
        if not (re.fullmatch(r"[\w.]+(:\w+)?\(\)", name) or name != heading and name in ("tls.setDebug", "net.cert")):
            continue
        yield name
        _, _, syntax = prose.partition("#### Syntax\n")
        forms = re.findall(r"^`(.+)`$", syntax.partition("####")[0], re.MULTILINE)
        if len(forms) > 1:
            yield from forms
        if name.endswith(":on()"):
            events = re.search(r'(?:which can be|only) ((?:"\w+"(?:, | or | and )?)+)', prose)
            yield from (f'{name} event "{event}"' for event in re.findall(r'"(\w+)"', events[1] if events else ""))
        blocks = re.findall(r"```.*?```", text, re.DOTALL)
        yield from (f"{name} example {number}" for number in range(1, len(blocks) + 1))


# --- the tests ---


class Tests:
    """The tests of a checkout, read without running them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, dict[str, ast.stmt]] = {}

    def source(self, test: str) -> str | None:
        """The text of a test and of what it uses of its own file; None when there is no such test."""
        path, _, name = test.partition("::")
        names = self._read(path)
        if not name.startswith("test_") or name not in names:
            return None
        reached, fresh = {name}, [name]
        while fresh:
            used = {each.id for each in ast.walk(names[fresh.pop()]) if isinstance(each, ast.Name)}
            fresh += (found := (used & names.keys()) - reached)
            reached |= found
        return "\n".join(ast.unparse(names[each]) for each in sorted(reached))

    def _read(self, path: str) -> dict[str, ast.stmt]:
        if path not in self._files:
            file = self._root / path
            tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
            self._files[path] = {
                node.name: node
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            }
        return self._files[path]


def faults(coverage: Coverage, root: Path = ROOT) -> list[str]:
    """What is wrong with the rows, a sentence each."""
    tests, found = Tests(root), []
    names = [row.entry for row in coverage.rows]
    found += [f"{entry}: has no row" for each in coverage.documents.values() for entry in each if entry not in names]
    found += [f"{name}: has two rows" for name in sorted({name for name in names if names.count(name) > 1})]
    for row in coverage.rows:
        if not row.python.strip():
            found.append(f"{row.entry}: the row says nothing of Python")
        if not row.tests:
            found.append(f"{row.entry}: no test proves it")
        if " example " in row.entry and not (root / row.python).is_file():
            found.append(f"{row.entry}: there is no {row.python}")
        for test in row.tests:
            source = tests.source(test)
            if source is None:
                found.append(f"{row.entry}: there is no test {test}")
            elif re.search(r"@pytest\.mark\.(skip\b|xfail|nightly)", source):
                found.append(f"{row.entry}: {test} is not run by the test command")
            elif row.needle not in source.replace("'", '"'):
                found.append(f"{row.entry}: {test} holds no {row.needle}")
    return found


def differences(coverage: Coverage, document: str) -> list[str]:
    """Where the entries in the data file are not those of the page, a sentence each."""
    name = document[2:].split()[0].lower()
    listed, real = coverage.documents.get(name, ()), list(entries_of(document))
    return [f"{entry}: is on the page of {name} and not in the list" for entry in real if entry not in listed] + [
        f"{entry}: is in the list and not on the page of {name}" for entry in listed if entry not in real
    ]


# --- the page ---


def render(coverage: Coverage) -> str:
    """The page."""
    count = len(coverage.rows)
    tests = {test for row in coverage.rows for test in row.tests}
    lines = [INTRODUCTION.format(rows=count, tests=len(tests))]
    for section in coverage.sections:
        lines += [
            "",
            f"## {section.title}",
            "",
            section.about.strip(),
            "",
            "| Entry | Python | Proved by |",
            "|---|---|---|",
        ]
        for row in section.rows:
            proofs = "<br>".join(f"[{test.removeprefix('tests/')}](../{test.partition('::')[0]})" for test in row.tests)
            python = f"[{row.python}](../{row.python})" if " example " in row.entry else f"`{row.python}`"
            note = f" {row.note}" if row.note else ""
            lines.append(f"| {_entry(row.entry)} | {python}{note} | {proofs} |".replace("||", "| |"))
    return "\n".join(lines) + "\n"


def _entry(entry: str) -> str:
    name, separator, rest = re.match(r"(.*?)(?:( example | event )(.*))?$", entry).groups("")  # type: ignore[union-attr]
    return f"`{name}`{separator}{rest.replace(chr(34), '`')}"


def main() -> int:
    """Write the page, or check it; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--document", action="append", type=Path, default=[], help="a page of the firmware's sources")
    options = parser.parse_args()
    coverage = read_coverage()
    found = faults(coverage)
    for document in options.document:
        found += differences(coverage, document.read_text(encoding="utf-8"))
    page = render(coverage)
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        found.append(f"{PAGE.relative_to(ROOT)} is not what the rows say: run python scripts/net_coverage.py")
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"{len(coverage.rows)} rows, each with its test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
