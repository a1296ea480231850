"""The boards of one pytest process: the rack they come from, and the one that is kept from test to test."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bridge.errors import BridgeError
from bridge.portal import portal
from bridge.pytest_plugin.findings import CHUNK, Finding, Visit
from bridge.pytest_plugin.keys import VISITS
from bridge.pytest_plugin.leased import SLACK, LeasedBoard
from bridge.pytest_plugin.ledger import Ledger, is_of_a_test, worker_name
from bridge.pytest_plugin.needs import may_restart, needs_of
from bridge.pytest_plugin.standin import LeaseLost, Needs, NoPlace, PlaceBusy, Rack
from bridge.pytest_plugin.wifi import Credentials

T = TypeVar("T")

#: Seconds after which a worker that waits for a board says so.
TELL_AFTER = 5.0



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
        self.ledger = Ledger(worker_name())
        self.wait = float(config.getoption("board_wait"))
        self.strict = bool(config.getoption("rack_strict"))
        self.slack = int(config.getini("nodemcu_heap_slack") or SLACK)
        self.credentials = Credentials.found(config)
        self._kept: LeasedBoard | None = None
        #: The place that a test which is run again should not have, if there is another.
        self.avoid: str | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop of the boards."""
        return portal().call(work)

    # a test

    def begin(self, item: pytest.Item, count: int = 1) -> list[LeasedBoard]:
        """Lease what a test needs, and make it clean for it.

        Raises:
            pytest.skip.Exception, pytest.fail.Exception: there is no such board.
        """
        needs = needs_of(item)
        entry = self.ledger.enter(item.nodeid, item.location)
        began = time.monotonic()
        try:
            leased = self.run(self._begin(needs, count, item.nodeid, entry.chunk, began))
        except NoPlace as error:
            (pytest.fail if self.strict else pytest.skip)(str(error))
        except BridgeError as error:
            pytest.fail(f"No board for this test: {error}", pytrace=False)
        return leased

    async def _begin(self, needs: Needs, count: int, nodeid: str, chunk: str, began: float) -> list[LeasedBoard]:
        leased = await self._lease(needs, count, nodeid)
        for each in leased:
            await each.begin(chunk, time.monotonic() - began)
        return leased

    async def _lease(self, needs: Needs, count: int, nodeid: str) -> list[LeasedBoard]:
        kept, self._kept = self._kept, None
        if kept is not None:
            if count == 1 and self._fits(kept, needs):
                return [kept]
            await self._give(kept)
        claim = asyncio.ensure_future(self.rack.claim(needs, purpose=nodeid, timeout=self.wait))
        return [await self._opened(await claim)]

    async def _opened(self, lease: Any) -> LeasedBoard:
        leased = LeasedBoard(lease, secrets=self.credentials.secrets, slack=self.slack)
        await leased.open()
        return leased

    def _fits(self, leased: LeasedBoard, needs: Needs) -> bool:
        return True

    async def _give(self, leased: LeasedBoard) -> None:
        await leased.close()
        await leased.lease.release()

    def end(self, item: pytest.Item, leased: list[LeasedBoard]) -> None:
        """A test is over: look at its boards, and note what was found for its protocol."""
        visits = item.stash.setdefault(VISITS, [])
        for each in leased:
            visits.append(self._with_owners(item, self.run(each.finish())))
        self._kept = leased[0]

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

    def blame(self, visit: Visit, text: str) -> None:
        """A board is charged with something: its place keeps count."""

    def close(self) -> None:
        """Give all boards back."""
        kept, self._kept = self._kept, None
        if kept is not None:
            self.run(self._give(kept))
