"""The boards of one pytest process: the rack they come from, and the one that is kept from test to test."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from bridge.errors import BridgeError, NoPlace, PlaceFailed
from bridge.portal import portal
from bridge.pytest_plugin.conduct import Conduct
from bridge.pytest_plugin.credentials import find_wifi
from bridge.pytest_plugin.failing import failed
from bridge.pytest_plugin.findings import CHUNK, Finding, Visit
from bridge.pytest_plugin.heap_check import SLACK
from bridge.pytest_plugin.keys import VISITS
from bridge.pytest_plugin.leased import LeasedBoard
from bridge.pytest_plugin.ledger import Ledger, is_of_a_test, run_mark, worker_name
from bridge.pytest_plugin.needs import may_restart, needs_of
from bridge.pytest_plugin.telling import tell
from bridge.rack.activity import tell_activity
from bridge.rack.health import Evidence
from bridge.rack.lease import Lease
from bridge.rack.needs import Needs
from bridge.rack.rack import Rack

T = TypeVar("T")

#: Seconds after which who waits for a board says so.
TELL_AFTER = 5.0
#: Seconds between looks whether somebody waits for a board that lies idle here.
GIVE_WAY = 0.5
#: Seconds for which a board may be kept from test to test though somebody waits for it: opening it takes two.
SLICE = 5.0


class BoardSession:
    """The boards of this process.

    Everything runs on the loop of `bridge.portal`: it goes on between tests, so that leases and links live, and tests
    without `await` can use the boards too.

    Args:
        config: of pytest.
        rack: where boards come from.
    """

    def __init__(self, config: pytest.Config, rack: Rack) -> None:
        self.config = config
        self.rack = rack
        self.ledger = Ledger(worker_name(), run_mark())
        self.wait = float(config.getoption("board_wait"))
        if not self.wait >= 0:
            raise pytest.UsageError(f"--board-wait is a number of seconds, not {self.wait:g}.")
        self.strict = bool(config.getoption("rack_strict"))
        self.slack = _slack(config)
        self.wifi = find_wifi()
        self.conduct = Conduct(rack, lasting=config.getoption("rack") is not None)
        #: The place that a test which runs again should not have, if there is another.
        self.avoid: str | None = None
        self._kept: LeasedBoard | None = None
        self._left_behind: list[Visit] = []
        self._giving_way: asyncio.Task[None] | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop of the boards."""
        return portal().call(work)

    # a test

    def begin(self, item: pytest.Item, count: int = 1) -> list[LeasedBoard]:
        """Lease what a test needs, and make it clean for it.

        Raises:
            pytest.skip.Exception, pytest.fail.Exception: there is no such board.
        """
        return self.run(self.begin_there(item, count))

    async def begin_there(self, item: pytest.Item, count: int = 1) -> list[LeasedBoard]:
        """As `begin`, on the loop of the boards."""
        try:
            return await self._ready(item, needs_of(item), count)
        except pytest.UsageError as error:
            raise failed(str(error)) from None
        except NoPlace as error:
            if self.strict:
                raise failed(str(error)) from None
            raise pytest.skip.Exception(str(error)) from None
        except BridgeError as error:
            raise failed(f"No board for this test: {error}") from None

    async def _ready(self, item: pytest.Item, needs: Needs, count: int) -> list[LeasedBoard]:
        """Boards that are clean; others, if one that was kept from the test before has died since."""
        entry = self.ledger.enter(item.nodeid, item.location)
        began = time.monotonic()
        while True:
            kept = self._kept
            leased = await self._lease(needs, count, item.nodeid)
            try:
                waited = time.monotonic() - began
                for each in leased:
                    visit = await each.begin(entry.chunk, waited)
                    tell_activity(self.rack.folder, each.lease.place, item.nodeid, visit.free)
                return leased
            except BridgeError:
                await self._give_all(leased)
                if kept is None or leased != [kept]:
                    raise
            except BaseException:
                await self._give_all(leased)
                raise

    def end(self, item: pytest.Item, leased: Sequence[LeasedBoard]) -> None:
        """A test is over: look at its boards, and note what was found for its protocol."""
        self.run(self.end_there(item, leased))

    async def end_there(self, item: pytest.Item, leased: Sequence[LeasedBoard]) -> None:
        """As `end`, on the loop of the boards."""
        visits = item.stash.setdefault(VISITS, [])
        entry = self.ledger.enter(item.nodeid, item.location)
        for each in leased:
            visit = await each.finish()
            self.ledger.note_files(entry, visit.files)
            visits.append(visit := self._with_owners(item, visit))
            tell_activity(self.rack.folder, each.lease.place, None, visit.free)
        first, *others = leased
        await self._give_all(others)
        if first.is_open and not _must_go(first):
            self._keep(first)
        else:
            await self._give(first)

    def let_go(self) -> None:
        """Give back the board that is kept for the next test, if one is."""
        self.run(self._part())

    def close(self) -> list[Visit]:
        """Give all boards back; returns what `left_behind` does."""
        self.run(self._part())
        return self.left_behind()

    def left_behind(self) -> list[Visit]:
        """What came on boards that were given back between two tests, since this was asked last."""
        found, self._left_behind = self._left_behind, []
        return found

    async def _part(self) -> None:
        """Give back the board that is kept, if one is, and note what has come on it since its last test."""
        kept = self._take_kept()
        if kept is None:
            return
        try:
            self._note(await kept.last_look())
        finally:
            await self._give(kept)

    def _note(self, visit: Visit) -> None:
        """A board tells of what came when it had no test."""
        visit.inherited = [self._with_owner(visit, finding) for finding in visit.inherited]
        if visit.inherited:
            self._left_behind.append(visit)

    # leases

    async def _lease(self, needs: Needs, count: int, nodeid: str) -> list[LeasedBoard]:
        kept = self._kept
        if kept is not None:
            if count == 1 and kept.lease.place.name != self.avoid and self._may_stay(kept, needs):
                self._take_kept()
                return [kept]
            await self._part()
        if self.avoid is not None:
            try:
                return await self._lease_new(replace(needs, avoid=needs.avoid | {self.avoid}), count, nodeid)
            except NoPlace:
                pass  # there is no other one
        return await self._lease_new(needs, count, nodeid)

    async def _lease_new(self, needs: Needs, count: int, nodeid: str) -> list[LeasedBoard]:
        needs = replace(needs, avoid=needs.avoid | self.conduct.out())
        unfit: dict[str, str] = {}
        failed: dict[str, BridgeError] = {}
        while True:
            try:
                leases = await self._claim(
                    replace(needs, avoid=needs.avoid | unfit.keys() | failed.keys()), count, nodeid
                )
            except NoPlace as error:
                if failed:
                    raise PlaceFailed("; ".join(why.message.rstrip(".") for why in failed.values())) from error
                if unfit:
                    raise NoPlace("No board of the rack fits: " + "; ".join(unfit.values())) from error
                raise
            leased = [self._leased(lease) for lease in leases]
            try:
                for each in leased:
                    place = each.lease.place.name
                    try:
                        await each.open()
                    except BridgeError as error:
                        failed[place] = error
                        continue
                    if lacks := lacking(each, needs, await each.flash_size() if needs.flash else 0):
                        unfit[place] = f"{place} {', '.join(lacks)}"
                if not {each.lease.place.name for each in leased} & (unfit.keys() | failed.keys()):
                    return leased
            except BaseException:
                await self._give_all(leased)
                raise
            await self._give_all(leased)

    async def _claim(self, needs: Needs, count: int, nodeid: str) -> list[Lease]:
        claim = asyncio.ensure_future(self.rack.claim_many(count, needs, purpose=nodeid, timeout=self.wait))
        try:
            await asyncio.wait([claim], timeout=TELL_AFTER)
            if not claim.done():
                tell(self.config, self.rack, nodeid, needs)
            return await claim
        except BaseException:
            claim.cancel()
            raise

    def _leased(self, lease: Lease) -> LeasedBoard:
        return LeasedBoard(
            lease,
            secrets=self.wifi.secrets if self.wifi else (),
            slack=self.slack,
            folder=self.conduct.folder(lease.place),
        )

    def _may_stay(self, kept: LeasedBoard, needs: Needs) -> bool:
        if _must_go(kept) or needs.missing(kept.lease.place):
            return False
        try:
            return not needs.flash and not lacking(kept, needs, 0)
        except BridgeError:  # it has died since the test before
            return False

    def _keep(self, leased: LeasedBoard) -> None:
        self._kept = leased
        if not leased.lease.place.is_virtual:
            self._giving_way = asyncio.get_running_loop().create_task(self._give_way(leased))

    def _take_kept(self) -> LeasedBoard | None:
        kept, self._kept = self._kept, None
        task, self._giving_way = self._giving_way, None
        if task is not None:
            task.cancel()
        return kept

    async def _give_way(self, leased: LeasedBoard) -> None:
        """While no test runs here, others may wait for this board."""
        while self._kept is leased:
            await asyncio.sleep(GIVE_WAY)
            if leased.lease.is_wanted() and self._kept is leased:
                self._giving_way = None
                await self._part()

    async def _give_all(self, leased: Sequence[LeasedBoard]) -> None:
        async with contextlib.AsyncExitStack() as stack:  # one that cannot be closed keeps no other
            for each in leased:
                stack.push_async_callback(self._give, each)

    async def _give(self, leased: LeasedBoard) -> None:
        try:
            visit = await leased.close()
        finally:
            await leased.lease.release()
        if visit is not None:
            self._note(visit)

    # whose doing it is

    def blame(self, visit: Visit, findings: Sequence[Finding], nodeid: str) -> str:
        """A board is charged with something: its place keeps count.

        Args:
            visit: of the test on it.
            findings: what it is charged with.
            nodeid: the test.

        Returns:
            A sentence on it.
        """
        text = "; ".join(finding.text for finding in findings)
        what = f"{visit.place} ({visit.port}) is charged with {nodeid}, which passed afterwards: {text}"
        if all(finding.kind == "lease" for finding in findings):
            return f"{visit.place} ({visit.port}) was taken away from {nodeid}, which passed afterwards: {text}"
        evidence = Evidence(text, console=visit.console, test=nodeid, port=visit.port)
        quarantine = self.conduct.failed(self.rack.place(visit.place), evidence)
        return f"{what}. It is {quarantine}" if quarantine else what

    def praise(self, visit: Visit) -> None:
        """A test has passed on a board, and nothing was found: failures before count no more."""
        self.conduct.worked(self.rack.place(visit.place))

    def _with_owners(self, item: pytest.Item, visit: Visit) -> Visit:
        """Say of errors whose they are, where it is another test's; and drop those that the test asked for."""
        visit.findings = [self._with_owner(visit, finding) for finding in visit.findings]
        visit.inherited = [self._with_owner(visit, finding) for finding in visit.inherited]
        if may_restart(item):
            wanted = ("error", "restart")
            visit.findings = [each for each in visit.findings if each.owner or each.kind not in wanted]
        return visit

    def _with_owner(self, visit: Visit, finding: Finding) -> Finding:
        if visit.chunk in finding.chunks:
            return finding
        owner = self.ledger.owner(finding.chunks)
        if owner is not None:
            return finding if owner.chunk == visit.chunk else replace(finding, owner=owner.nodeid)
        stranger = next(filter(is_of_a_test, finding.chunks), None)
        return finding if stranger is None else replace(finding, owner=CHUNK + stranger)


def _slack(config: pytest.Config) -> int:
    said = config.getini("nodemcu_heap_slack") or str(SLACK)
    if not (said.isascii() and said.isdigit()):
        raise pytest.UsageError(f"nodemcu_heap_slack is a number of bytes, not {said!r}.")
    return int(said)


def _must_go(leased: LeasedBoard) -> bool:
    return time.time() - leased.lease.since > SLICE and leased.lease.is_wanted()


def lacking(leased: LeasedBoard, needs: Needs, flash: int) -> list[str]:
    """What a board that is open has not, of what is needed, in words.

    Args:
        leased: the board.
        needs: what is needed.
        flash: bytes of its flash, if that is needed.
    """
    facts = leased.board.facts
    lacks = [f"has no module {name}" for name in sorted(needs.modules - {*facts.modules})]
    if needs.lua is not None and facts.lua != needs.lua:
        lacks.append(f"has Lua {facts.lua}, not {needs.lua}")
    if flash < needs.flash:
        lacks.append(f"has {flash} bytes of flash, not {needs.flash}")
    return lacks
