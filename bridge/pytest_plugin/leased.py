"""A board that this process has leased, from test to test: clean before each, looked at after each."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterable
from pathlib import Path

from bridge import insight
from bridge.board import Board
from bridge.errors import BridgeError, LeaseLost, LinkError, PortLost
from bridge.lifecycle import State
from bridge.pytest_plugin.discretion import Discretion
from bridge.pytest_plugin.error_text import UncaughtError, uncaught_errors
from bridge.pytest_plugin.findings import Finding, Visit
from bridge.pytest_plugin.heap_book import Look
from bridge.pytest_plugin.heap_check import SLACK, HeapCheck
from bridge.pytest_plugin.identity import identity_of
from bridge.pytest_plugin.watch import Watch
from bridge.rack.lease import Lease
from bridge.rack.recover import known_state
from bridge.trace.recorder import public_url

#: Seconds in which a board must answer after a test: a loop that starves the watchdog is over by then.
ANSWER = 6.0
#: Seconds from an error's text to the restart that it brings: the firmware waits for two, a watchdog up to eight.
RESTART, PANIC_RESTART = 3.5, 12.0
#: Seconds for a board to be back after a restart, with what it does at boot.
BACK = 30.0
#: Seconds for which a look at the heap holds.
FRESH = 1.0
_LOOK = "collectgarbage() collectgarbage() return node.heap(),wifi and wifi.getmode(),wifi and wifi.sta.status()"
#: Characters of what a board has printed to the end that are kept as it is given back.
_LAST_WORDS = 2000
#: `wifi.STA_IDLE`: the station neither has a network nor looks for one.
_IDLE = 0


class LeasedBoard:
    """A lease with its board open on it. All methods are called on the loop of the board.

    Args:
        lease: held.
        secrets: texts that must not be shown.
        slack: bytes of heap that a test may leave in use.
        folder: where it is noted if the board cannot be brought to answer.
    """

    def __init__(
        self, lease: Lease, *, secrets: Iterable[str] = (), slack: int = SLACK, folder: Path | None = None
    ) -> None:
        self.lease = lease
        self._folder = folder
        self._discretion = Discretion(secrets)
        self._slack = slack
        self._board: Board | None = None
        self._watch: Watch | None = None
        self._heap: HeapCheck | None = None
        self._epoch: int | None = None
        self._before: Look | None = None
        self._handles_before: frozenset[int] = frozenset()
        self._last_look: tuple[Look, float] | None = None
        self._worn = False
        self._mac: str | None = None
        self._firmware: str | None = None
        self._inherited: list[Finding] = []
        self.visit: Visit | None = None
        lease.discreet = self._discretion.text
        lease.on_open = self._opened

    @property
    def board(self) -> Board:
        """The board, open."""
        assert self._board is not None
        return self._board

    @property
    def is_open(self) -> bool:
        """The board is open, and may be used again."""
        return self._board is not None

    async def flash_size(self) -> int:
        """Bytes of its flash."""
        return int(await self.board.eval("node.flashsize()"))

    async def open(self) -> None:
        """Open the board, with what can be done for one that does not answer.

        Raises:
            BridgeError: it cannot be; says why.
        """
        await self._bring_up()
        await self._inherit()
        if self._firmware is None:
            try:
                mac, self._firmware = await identity_of(self.board)
            except LinkError:  # by what a test has left behind; or it does not answer again
                await self._inherit()
                mac, self._firmware = await identity_of(self.board)
            self._mac = mac or self.lease.place.mac

    async def _bring_up(self) -> None:
        before, self._board = self._board, None
        board = await known_state(self.lease, before, folder=self._folder, count=False)
        self._board = board
        if board is not before:
            self._heap = self._epoch = self._before = self._last_look = None

    def _opened(self, board: Board, heard: str) -> None:
        """The board is open, for the first time or again: whoever was here before may have left something behind."""
        before, self._watch = self._watch, Watch(board, self._discretion)
        text = heard.encode()
        if before is None:
            self._watch.opened(text)
        else:
            self._watch.opened(before.printed + text, restarted=bool(before.resets))

    async def close(self) -> Visit | None:
        """Give the board's prompt back. Doing it again does nothing.

        Returns:
            What has come since the last look, if that is an error of Lua.
        """
        board, self._board = self._board, None
        watch, self._watch = self._watch, None
        self.visit = self._heap = self._epoch = self._before = None
        printed = b"" if watch is None else watch.printed
        if board is not None:
            self.lease.listen()
            await board.close()
            printed += self.lease.heard().encode()
        visit, errors = self._new_visit(""), uncaught_errors(printed)
        visit.inherited, self._inherited = [*self._inherited, *map(_of_error, errors)], []
        if errors:  # what comes behind it is how the agent leaves
            visit.console = self._discretion.console(printed[: errors[-1].end])[-_LAST_WORDS:]
        visit.blank(self._discretion.text)
        return visit if visit.inherited else None

    async def begin(self, chunk: str, waited: float = 0.0) -> Visit:
        """A test begins on the board, which is made as clean as a test may find it.

        Args:
            chunk: name of the chunks that it loads.
            waited: seconds for which it has waited for the board.

        Raises:
            BridgeError: the board does not answer, also after what can be done for it.
        """
        if self._board is None:
            await self.open()
        try:
            look = self._fresh_look() or await self._look_if_calm()
            if await self._inherit() or self._worn or look is None:
                if self._worn:
                    await self.board.reset()
                look = await self._look()
        except BridgeError:
            self.lease.check()
            await self._bring_up()
            await self._inherit()
            look = await self._look()
        self._worn = False
        board, watch = self.board, self._the_watch
        board.chunk_name = chunk
        self._forget_handlers()
        watch.begin()
        if self._heap is None or self._epoch != insight.holdings(board).epoch:
            self._new_boot(look)
        assert self._heap is not None
        self._heap.begin(look)
        self._before = look
        self._handles_before = frozenset(id(handle) for handle in insight.holdings(board).handles)
        self.visit = self._new_visit(chunk)
        self.visit.heap.append((0.0, look.free))
        self.visit.waited = waited
        self.visit.inherited, self._inherited = self._inherited, []
        return self.visit

    async def _inherit(self) -> bool:
        """Note what others have left behind, if something has come of it by now."""
        found = await self._after_a_restart()
        self._inherited += found
        if found:
            self._the_watch.begin()
        return bool(found)

    async def last_look(self) -> Visit:
        """No test comes any more: what has happened since the last one, as far as the board can tell."""
        visit = self._new_visit("")
        with contextlib.suppress(BridgeError):
            await self._look_if_calm()
            self._inherited += await self._after_a_restart()
        visit.inherited, self._inherited = self._inherited, []
        visit.console = self._the_watch.console()
        visit.blank(self._discretion.text)
        self._the_watch.begin()
        return visit

    def _new_visit(self, chunk: str) -> Visit:
        return Visit(self.lease.place.name, public_url(self.lease.port), self._mac, chunk, self._firmware)

    async def finish(self) -> Visit:
        """The test is over: look at the board, and make it ready for the next one. What was found is in the visit."""
        visit, watch = self.visit, self._the_watch
        assert visit is not None
        self.visit = None
        findings = visit.findings
        try:
            look = await self._look_if_calm()
            findings += await self._after_a_restart()
            if not findings:
                findings += await self._left_behind(visit, look or await self._look())
                findings += await self._after_a_restart()  # for what came while that was looked at
        except BridgeError as error:
            findings += self._no_answer(error)
        findings += [
            Finding("callback", f"{where} raised {type(error).__name__}: {error}") for error, where in watch.errors
        ]
        visit.notes += [f"the agent reports: {text}" for text in watch.faults]
        visit.wire, visit.files, visit.console = watch.wire(), watch.files, watch.console()
        visit.blank(self._discretion.text)
        if any(finding.kind not in ("callback", "handles") for finding in findings):
            await self._settle()
        watch.begin()
        if findings:
            self._last_look = None
        return visit

    # what happened

    async def _after_a_restart(self) -> list[Finding]:
        """Errors and restarts since the test began; the board is back when this returns. Nothing is asked of it."""
        watch, board = self._the_watch, self.board
        if self._is_calm():
            return []
        errors = watch.uncaught()
        if errors and not watch.resets:
            await self._until_restart(PANIC_RESTART if errors[-1].panic else RESTART)
        if board.state is State.RESTARTING:
            await self._until_back()
        if board.state is not State.READY:
            raise watch.down or BridgeError("The board is lost")
        if not watch.resets and not self._is_another_boot():
            return []  # the test has printed what reads like an error
        if errors:
            return [_of_error(error) for error in errors]
        if not watch.resets and watch.was_at_prompt:
            return []
        cause = board.last_reset.cause if watch.resets and board.last_reset else None
        if cause == "software restart":
            return []  # somebody asked for it
        return [Finding("restart", f"the board restarted by itself ({cause or 'it does not say why'})")]

    def _is_calm(self) -> bool:
        """Nothing has happened that was not asked for, as far as it has been heard."""
        watch = self._the_watch
        return (
            self.board.state is State.READY
            and not watch.resets
            and not watch.uncaught()
            and not self._is_another_boot()
        )

    def _is_another_boot(self) -> bool:
        return self._epoch is not None and insight.holdings(self.board).epoch != self._epoch

    async def _look_if_calm(self) -> Look | None:
        """A look at the heap, whose answer comes behind all that was printed before; None if none is to be had."""
        if not self._is_calm():
            return None
        try:
            return await self._look()
        except LinkError:
            if self._is_calm():  # it does not answer, and that is all
                raise
            return None

    def _fresh_look(self) -> Look | None:
        """The look at the end of the last test, if that was a moment ago and nothing has happened since."""
        if self._last_look is None or not self._is_calm():
            return None
        look, when = self._last_look
        return look if asyncio.get_running_loop().time() - when < FRESH else None

    async def _until_restart(self, seconds: float) -> None:
        watch = self._the_watch
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not watch.resets and watch.down is None:
                    watch.stirred.clear()
                    await watch.stirred.wait()

    async def _until_back(self) -> None:
        try:
            async with asyncio.timeout(BACK):
                while self.board.state is State.RESTARTING:
                    await self.board.state_changed()
        except TimeoutError:
            raise BridgeError(f"The board did not come back within {BACK:g} s", port=self.board.url) from None

    def _no_answer(self, error: BridgeError) -> list[Finding]:
        if isinstance(error, LeaseLost):
            return [Finding("lease", f"the lease is lost: {error}")]
        if isinstance(error, PortLost) or isinstance(self._the_watch.down, PortLost):
            return [Finding("lost", f"the board is lost: {error}")]
        return [Finding("silent", f"the board does not answer: {error}")]

    # what was left behind

    async def _left_behind(self, visit: Visit, look: Look) -> list[Finding]:
        board, watch, before = self.board, self._the_watch, self._before
        assert before is not None
        found = []
        held = insight.holdings(board)
        restarted = held.epoch != self._epoch
        known: frozenset[int] = frozenset() if restarted else self._handles_before
        if any(id(handle) not in known for handle in held.handles):
            gc.collect()
            left = [handle for handle in insight.holdings(board).handles if id(handle) not in known]
            if left:
                names = ", ".join(sorted(map(repr, left))[:3]) + (", …" if len(left) > 3 else "")
                found.append(Finding("handles", f"left {len(left)} of the board's objects held: {names}"))
            for handle in left:
                await handle.release()
            del left
            look = await self._look()
        found += await self._wifi_left(before, look)
        visit.heap.append((round(watch.seconds, 3), look.free))
        if restarted or self._heap is None:
            self._new_boot(look)
            return found
        if lacking := await self._heap.left(visit, look):
            found.append(Finding("heap", f"left {lacking} bytes of heap in use ({before.free} free before)"))
        self._worn = self._heap.is_worn
        return found

    async def _wifi_left(self, before: Look, look: Look) -> list[Finding]:
        """Another mode of Wi-Fi than before the test, which is put right, or a network that it has left."""
        if before.wifi is None or look.wifi is None:
            return []
        (mode_before, status_before), (mode, status) = before.wifi, look.wifi
        if mode != mode_before:
            await self.board.exec("wifi.setmode(...)", mode_before)
            return [Finding("wifi", f"left Wi-Fi in mode {mode}, which was {mode_before}")]
        if status == _IDLE != status_before:
            return [Finding("wifi", "left the Wi-Fi network")]
        return []

    async def _settle(self) -> None:
        """Something was found: the next test gets a board that has been restarted."""
        if self._board is None:
            return
        try:
            if self._board.state is State.READY and not self._the_watch.resets:
                await self._board.reset()
            self._heap = None
            self._worn = False
        except BridgeError:
            await self.close()

    async def _look(self) -> Look:
        free, mode, status = await self.board.exec(_LOOK, timeout=ANSWER)
        held = insight.holdings(self.board)
        look = Look(int(free), held.rooms, held.shapes, None if mode is None else (int(mode), int(status)))
        self._last_look = look, asyncio.get_running_loop().time()
        return look

    def _new_boot(self, look: Look) -> None:
        self._heap = HeapCheck(self.board, self._the_watch, self._look, look, self._slack)
        self._epoch = insight.holdings(self.board).epoch

    def _forget_handlers(self) -> None:
        for event in ("console", "reset", "ready", "down", "fault", "error"):
            self.board.on(event, None)

    @property
    def _the_watch(self) -> Watch:
        assert self._watch is not None
        return self._watch


def _of_error(error: UncaughtError) -> Finding:
    what = "Lua panicked" if error.panic else "Lua erred in a callback"
    return Finding("error", f"{what}, which restarts the board: {error.message}", error.chunks)
