"""A lease: exclusive use of a board, for a while."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bridge.board import Board
from bridge.errors import BridgeError, LeaseLost, PlaceFailed, PortBusy, WrongBoard
from bridge.inspect import inspect_board
from bridge.opening import Opening, open_board
from bridge.ports.base import CONSOLE_BAUD, Port
from bridge.ports.open import open_port
from bridge.rack.find import wrong_board
from bridge.rack.health import Evidence, Quarantine, record_failure
from bridge.rack.holder import Held, Holder
from bridge.rack.lease_port import LeasePort, open_lease_port
from bridge.rack.model import Place
from bridge.rack.turns import waiting
from bridge.trace.secrets import discreet_text

E = TypeVar("E", bound=BridgeError)

#: Characters of what a board has printed that are kept of an opening in vain.
_CONSOLE = 4000


class Lease:
    """Made by `Rack.claim`; an async context manager that gives it back.

    Args:
        place: what is leased.
        port: the URL of its port.
        generation: counts the leases of the board.
        given_back: called once when it is over.
        places: of the rack, to say whose board another one is.
        wanted: true if somebody waits.

    Attributes:
        since: seconds since the epoch.
        url: for programs of this process and its children; another user cannot use it.
        heap: bytes that were free on the board when it was first known to be fit (`bridge.rack.recover`), or None.
        console: what the board printed when it was opened in vain the last time: a sick one says why there. What reads
            like a secret is blanked.
        discreet: takes secrets out of what is written down of the board; one that knows more of them may take its
            place.
        notes: what is not as it should be with the lease and does not hinder it, in sentences.
        on_open: called with each board that is opened, at once, and with what it has printed since its port was opened.
    """

    def __init__(
        self,
        place: Place,
        port: str,
        generation: int,
        given_back: Callable[[], None],
        places: Sequence[Place] = (),
        wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.place, self.port, self.generation = place, port, generation
        self.since = time.time()
        self.url = port
        self.notes: list[str] = []
        self.heap: int | None = None
        self.console = ""
        self.discreet: Callable[[str], str] = discreet_text
        self.on_open: Callable[[Board, str], None] | None = None
        self._given_back = given_back
        self._over: str | None = None
        self._ports: list[Port] = []
        self._places = places
        self._wanted = wanted
        self._folder: Path | None = None

    def __repr__(self) -> str:
        return f"<Lease {self.place.name} {self.port}{' over' if self._over else ''}>"

    async def __aenter__(self) -> Lease:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    def check(self) -> None:
        """Make sure that it still is ours.

        Raises:
            LeaseLost: it is over; says why.
        """
        if self._over is not None:
            raise LeaseLost(
                f"{self.place.name} is leased no more: {self._over}",
                port=self.port,
                remedy="Claim it again; nothing that is written by this lease reaches the board.",
            )

    def is_wanted(self) -> bool:
        """True if somebody waits for a board and would take this one."""
        return self._wanted()

    async def until_lost(self) -> None:
        """Wait until it is lost; for ever where it cannot be. `check` says why."""
        await asyncio.get_running_loop().create_future()

    async def open_port(self, *, baud: int = CONSOLE_BAUD) -> Port:
        """Open the board's port; one at a time.

        Args:
            baud: speed of the line, in baud.

        Raises:
            LeaseLost: it is over.
            PortError: the port cannot be opened.
        """
        self.check()
        port = await self._open(baud)
        self._ports.append(port)
        return port

    def open_board(self, *, baud: int = CONSOLE_BAUD, **options: Any) -> OpeningBoard:
        """Open the board: `async with lease.open_board() as board`, or `board = await lease.open_board()`.

        Its port is closed with it.

        Args:
            baud: speed of the console, in baud.
            options: of `bridge.open_board`.

        Raises:
            LeaseLost: it is over.
            WrongBoard: it is another board, or has other firmware, than the rack file says.
            BridgeError: as `bridge.open_board`.
        """
        return OpeningBoard(self, baud, options)

    def recognise(self, mac: str | None) -> None:
        """The board has told its MAC address; None if its firmware cannot.

        Raises:
            WrongBoard: it is not that of the rack file; says whose it is.
        """
        wanted = self.place.mac
        if mac is None and wanted is not None:
            self.notes.append(f"{self.place.name} ({self.port}): the board cannot tell its MAC address.")
        elif mac is not None and wanted is not None and mac.lower() != wanted:
            raise self._noted(wrong_board(self.place, self.port, mac, self._places))

    async def check_modules(self, board: Board) -> None:
        """Make sure that an open board has the modules that the rack file promises.

        Raises:
            WrongBoard: some are not there.
        """
        doubtful = sorted({*(self.place.capabilities.modules or ())} - {*board.facts.modules})
        # Of the others the bridge itself makes no use.
        lacking = [name for name in doubtful if not await board.exec("return _G[...] ~= nil", name)]
        if lacking:
            names = ", ".join(lacking)
            error = WrongBoard(
                f"{self.place.name}: the firmware on {self.port} lacks {names}, which the rack file promises",
                port=self.port,
                remedy="Flash the right firmware, or correct the rack file.",
            )
            raise self._noted(error)

    def _noted(self, error: E) -> E:
        if self._folder is not None:
            self.note_failure(error.message, self._folder)
        return error

    def note_failure(self, what: str, folder: Path | None) -> Quarantine | None:
        """Note that the place has failed, with what the board printed when it was opened in vain.

        Args:
            what: happened, in a sentence.
            folder: state folder of the rack.

        Returns:
            Its quarantine, if it is quarantined by now.
        """
        return record_failure(self.place, Evidence(self.discreet(what), self.console, port=self.port), folder=folder)

    async def check_board(self) -> None:
        """Ask the board at its prompt which it is, where the rack file says so; takes about a second.

        Raises:
            WrongBoard: it is another one than the rack file says.
            PlaceFailed: it does not answer. That is recorded, and three times in a row quarantine the place.
            PortBusy: its port has another client.
            LeaseLost: the lease is over.
        """
        if self.place.mac is None:
            return
        try:
            port = await self.open_port()
            try:
                mac = (await inspect_board(port))["mac"]
            except BaseException:
                self.keep_last_words(port)
                raise
            finally:
                await port.close()
        except (LeaseLost, PortBusy):
            raise
        except BridgeError as error:
            failed = PlaceFailed(
                f"{self.place.name}: the board does not answer at its prompt ({error.message})",
                port=self.port,
                remedy=error.remedy,
            )
            raise self._noted(failed) from error
        self.recognise(mac if isinstance(mac, str) else None)

    def keep_last_words(self, port: Port) -> None:
        """A port of this lease was opened in vain: keep what the board printed."""
        # Cut afterwards: what is cut away may tell that the rest is a secret.
        self.console = self.discreet(port.last_words())[-_CONSOLE:] if isinstance(port, LeasePort) else ""

    def listen(self) -> None:
        """Keep what a board that is open prints from now on; it may be secret."""
        for port in self._ports:
            if isinstance(port, LeasePort):
                port.listen()

    def heard(self) -> str:
        """What a board has printed since `listen`; from now on nothing more is kept."""
        return "".join(port.last_words() for port in self._ports if isinstance(port, LeasePort))

    async def release(self) -> None:
        """Give it back. Doing it again does nothing."""
        if self._over is None:
            self._over = "it has been given back"
        try:
            # Also when one cannot be closed, or the caller is cancelled, the others are, and the board is given back.
            async with contextlib.AsyncExitStack() as ports:
                while self._ports:
                    ports.push_async_callback(self._ports.pop().close)
        finally:
            given_back, self._given_back = self._given_back, lambda: None
            given_back()

    async def _open(self, baud: int) -> Port:
        return await open_port(self.port, baud=baud)


class OpeningBoard(Opening):
    """What `Lease.open_board` gives."""

    def __init__(self, lease: Lease, baud: int, options: dict[str, Any]) -> None:
        self._lease, self._baud, self._options = lease, baud, options

    async def _open(self) -> Board:
        port = await self._lease.open_port(baud=self._baud)
        try:
            board = await open_board(port, baud=self._baud, owns_port=True, **self._options)
        except BaseException:
            self._lease.keep_last_words(port)
            await port.close()
            raise
        # From here on they may be secret.
        words = port.last_words() if isinstance(port, LeasePort) else ""
        if self._lease.on_open is not None:
            self._lease.on_open(board, words)
        try:
            if self._lease.place.mac is not None:
                self._lease.recognise(await _mac(board))
            await self._lease.check_modules(board)
        except BaseException:
            await board.close()
            raise
        return board


class KeptLease(Lease):
    """A lease whose port the keeper has.

    Args:
        place, port, generation, places: as for `Lease`.
        holder: this process's end of the keeper.
        number: of the lease there.
        held: what is known of it.
        tcp_port: where the keeper serves the port, on 127.0.0.1.
        queue: folder of the locks, and the name of the board's.
    """

    def __init__(
        self,
        place: Place,
        port: str,
        generation: int,
        *,
        holder: Holder,
        number: int,
        held: Held,
        tcp_port: int,
        queue: tuple[str, str],
        places: Sequence[Place],
    ) -> None:
        super().__init__(place, port, generation, lambda: None, places)
        self._holder, self._number, self._held, self._tcp_port = holder, number, held, tcp_port
        self._queue = queue
        self._folder = Path(queue[0])
        scheme = "socket" if port.lower().startswith("socket:") else "rfc2217"
        self.url = f"{scheme}://127.0.0.1:{tcp_port}"

    def check(self) -> None:
        if self._over is None:
            self._holder.judge()
            self._over = self._held.why
        super().check()

    async def until_lost(self) -> None:
        await self._held.wait()

    def is_wanted(self) -> bool:
        folder, board = self._queue
        return any(board in turn.wants for turn in waiting(folder))

    async def release(self) -> None:
        with contextlib.suppress(LeaseLost):
            self.check()
        try:
            await super().release()
        finally:
            await self._tell_keeper()

    async def _tell_keeper(self) -> None:
        held = self._held
        if held.given_back:
            return
        held.given_back = True
        answer = self._holder.ask({"do": "release", "lease": self._number})
        try:
            # To the end, also when the caller is cancelled: the next one may come at once.
            said = await asyncio.shield(asyncio.wrap_future(answer))
        finally:
            self._holder.let_go(self._number)
        if said.get("trouble"):
            self.notes.append(str(said["trouble"]))

    async def _open(self, baud: int) -> Port:
        return await open_lease_port(self.port, self._tcp_port, baud, self.check, self._holder.hear_out, self._taken_in)

    async def _taken_in(self) -> None:
        await asyncio.wrap_future(self._holder.ask({"do": "take in", "lease": self._number}))


async def _mac(board: Board) -> str | None:
    said = await board.eval("wifi and wifi.sta.getmac()")
    return said.decode("ascii", "replace") if isinstance(said, bytes) else said if isinstance(said, str) else None
