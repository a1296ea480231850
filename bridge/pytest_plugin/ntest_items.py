"""NodeMCU's own test files as pytest items: one for each sub-test, and one for the file as a whole.

A file runs once, when its first item does. The names of its sub-tests are read from its source; those that it makes as
it runs are reported beside its last item. Under xdist the workers share what came of a file, by a file of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import AsyncFileLock

from bridge.board import Board
from bridge.errors import BridgeError, UsageError
from bridge.files.host import read_file
from bridge.ntest import FileRun, Job, Outcome, SubTest, read_outline, run_file
from bridge.ntest.naming import WHOLE, Names
from bridge.pytest_plugin.ntest import CONSOLE, MORE, SECONDS


def board_test_file(path: Path, parent: pytest.Collector) -> TestFile:
    """The collector of a test file."""
    return TestFile.from_parent(parent, path=path, **_nodeid(path, parent))


def _nodeid(path: Path, parent: pytest.Collector) -> dict[str, Any]:
    """The node id of a file to which pytest gives none that is of use.

    One outside the root of the run has none if it is named on the command line; and of a name that is no text neither
    JUnit's file nor what goes to and from workers can be written.
    """
    root = parent.config.rootpath
    if path.is_relative_to(root) and _text(path) == path:
        return {}
    name = _text(Path(os.path.relpath(path, root))).as_posix()
    kind: Any = type(getattr(parent, "id", name))  # an object of its own since pytest 9.2
    return {"name": Path(name).name, "nodeid": name if kind is str else kind(path=name)}


def _text(path: Path) -> Path:
    """A path with the bytes written out that are no text."""
    return Path(os.fsencode(path).decode("utf-8", "backslashreplace"))


class TestFile(pytest.File):
    """A test file.

    Attributes:
        labels: of the items of its sub-tests.
    """

    __test__ = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.labels: list[str] = []
        self._run: FileRun | str | None = None
        self._served: set[str] = set()

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each sub-test that the source names, and one for the file."""
        outline = read_outline(self.path.read_text(encoding="utf-8", errors="replace"))
        if outline.wants:
            self.add_marker(pytest.mark.board(**_wants(outline.wants, self.path)))
        names = Names()
        self.labels += [_label(names.own(name)) for name in outline.names]
        for label, line in zip((*self.labels, WHOLE), (*outline.lines, 1), strict=True):
            item = TestItem.from_parent(self, name=label, callobj=_call(self, label))
            item.line = line
            yield item

    async def run_for(self, label: str, board: Board, shared: Path | None) -> FileRun:
        """What came of the file, which runs now if it has not; again, if this item has asked before.

        Args:
            label: of the item that asks.
            board: to run it on.
            shared: folder of all workers of xdist, or None.
        """
        again = label in self._served
        self._served.add(label)
        if self._run is None or again:
            self._run = await self._run_shared(board, shared, again)
        if isinstance(self._run, str):
            pytest.fail(self._run, pytrace=False)
        return self._run

    async def _run_shared(self, board: Board, shared: Path | None, again: bool) -> FileRun | str:
        if shared is None:
            return await self._run_now(board)
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        kept = shared / f"ntest-{digest}.json"
        # Who waits here has a board already, so that who runs the file never waits for that one.
        async with AsyncFileLock(kept.with_suffix(".lock")):
            if kept.exists() and not again:
                found = json.loads(kept.read_text(encoding="utf-8"))
                return found if isinstance(found, str) else FileRun.from_json(found)
            run = await self._run_now(board)
            kept.write_text(json.dumps(run if isinstance(run, str) else run.to_json()), encoding="utf-8")
            return run

    async def _run_now(self, board: Board) -> FileRun | str:
        """What came of it, or a sentence on why it did not run; that is not tried again for each item."""
        try:
            return await run_file(board, self._job())
        except BridgeError as error:
            return f"{self.path.name} did not run on {board.url}: {error}"

    def _job(self) -> Job:
        option = self.config.getoption
        given: dict[str, Any] = {}
        if library := option("--ntest-library"):
            given["library"] = None if library == "board" else read_file(Path(library))
        if silence := option("--ntest-silence"):
            given["next_line"] = silence
        return Job(
            self.path.name,
            read_file(self.path),
            companions={Path(name).name: read_file(Path(name)) for name in option("--ntest-with")},
            shim=not option("--ntest-own-tap"),
            **given,
        )


class TestItem(pytest.Function):
    """A sub-test, or the file as a whole.

    Attributes:
        line: on which it stands, from 1.
    """

    __test__ = False
    line = 1

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands; pytest counts lines from 0."""
        return _text(self.path), self.line - 1, self.name

    def judge(self, run: FileRun, labels: list[str]) -> None:
        """Pass, fail or skip as this item did on the board."""
        if self.name == WHOLE:
            self._judge_whole(run, labels)
            return
        test = next((each for each in run.sub_tests if _label(each.name) == self.name), None)
        if test is None:
            self._show("")
            if run.whole:
                pytest.skip("the file ran to its end without it")
            pytest.fail(f"It did not run. {run.why}", pytrace=False)
        self.stash[SECONDS] = test.seconds
        self._show(test.console)
        outcome, why = _judged(test)
        if outcome == "skipped":
            pytest.skip(why)
        if outcome == "failed":
            pytest.fail(why, pytrace=False)

    def _judge_whole(self, run: FileRun, labels: list[str]) -> None:
        self.stash[SECONDS] = max(run.seconds - sum(each.seconds for each in run.sub_tests), 0.0)
        self._show(run.console)
        file = self.nodeid.removesuffix(self.name)
        self.stash[MORE] = tuple(
            _facts(file, self.location, each) for each in run.sub_tests if _label(each.name) not in labels
        )
        if not run.whole:
            pytest.fail(run.why, pytrace=False)

    def _show(self, console: str) -> None:
        if console:
            self.add_report_section("call", "board console", console)
        self.user_properties = [each for each in self.user_properties if each[0] != CONSOLE] + [(CONSOLE, console)]


def _call(file: TestFile, label: str) -> Any:
    async def run(request: pytest.FixtureRequest, board: Board, tmp_path_factory: pytest.TempPathFactory) -> None:
        item = request.node
        shared = tmp_path_factory.getbasetemp().parent if hasattr(request.config, "workerinput") else None
        item.judge(await file.run_for(label, board, shared), file.labels)

    return run


def _label(name: str) -> str:
    """A sub-test's name as part of an item's."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in name)


def _judged(test: SubTest) -> tuple[str, str]:
    match test.outcome:
        case Outcome.PASSED:
            return "passed", ""
        case Outcome.SKIPPED:
            return "skipped", test.why
        case _:
            return "failed", test.why


def _facts(file: str, location: tuple[str, int | None, str], test: SubTest) -> dict[str, Any]:
    """What makes the reports of a sub-test that has no item, as JSON can hold it."""
    outcome, why = _judged(test)
    label = _label(test.name)
    return {
        "nodeid": file + label,
        "location": [location[0], location[1], label],
        "outcome": outcome,
        "why": why,
        "console": test.console,
        "seconds": test.seconds,
    }


def _wants(wants: dict[str, tuple[str, ...]], path: Path) -> dict[str, Any]:
    """What a test file's own comment asks for, as the arguments of the marker `board`."""
    found: dict[str, Any] = dict(wants)
    if "flash" in wants:
        try:
            found["flash"] = int(wants["flash"][0])
        except (ValueError, IndexError):
            raise UsageError(f"{path}: flash={','.join(wants['flash'])} is no number of bytes") from None
    return found
