"""`flash --keep-files`: carries a board's files over one flash, and goes on with what an earlier run left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from bridge.errors import AgentError, BridgeError, FilesWouldBeLost, FlashError, LinkError, PortError, ReplError
from bridge.flash import reachable
from bridge.flashing.backup import WARNING
from bridge.flashing.chip_files import files_on_chip
from bridge.flashing.keep import Here, look_at_files, put_files, read_files
from bridge.flashing.kept import Kept
from bridge.flashing.output import FlashProgress, Progress
from bridge.flashing.session import Session
from bridge.image import ImagePart

#: Speed at which a chip is looked at that does not answer at its prompt: the ROM's. Where no reset lines are wired the
#: connection after it must find the flasher at the speed it begins with.
_LOOK_BAUD = 115_200


class KeepFiles:
    """The files of one board, over one flash: `before` it, and `after` the new firmware has started.

    What a board says counts where it answers. Where it does not, because an earlier run was cut off, it is known by its
    MAC address, and the files that run saved are put back.

    Args:
        url: port of the board.
        parts: of the image.
        erase: the whole flash will be erased.
        lines: reset lines are wired.
        into_loader: tells a person to put the board into its loader, if no reset lines are wired; called before that
            is needed.
        progress: told of the stages.
    """

    def __init__(
        self,
        url: str,
        parts: list[ImagePart],
        *,
        erase: bool,
        lines: bool,
        into_loader: Callable[[], object],
        progress: Progress,
    ) -> None:
        self._url, self._parts, self._erase, self._lines = url, parts, erase, lines
        self._into_loader, self._progress = into_loader, progress
        self._kept: Kept | None = None
        self._replace = True
        self._why = "nothing answers at its Lua prompt"
        #: The files are saved, so that those on the board may be lost.
        self.safe = False

    @property
    def _pending(self) -> bool:
        """There are saved files that are not back yet."""
        return self._kept is not None and self._kept.folder is not None

    async def before(self) -> None:
        """Save the files if the flash would lose them.

        Raises:
            FlashError: the chip has files, they would be lost, and the board does not answer.
            BridgeError: a file could not be read.
        """
        self._progress(FlashProgress("looking at the files"))
        try:
            here = await look_at_files(self._url, self._parts)
        except PortError:
            raise
        except (ReplError, LinkError, AgentError) as error:
            if isinstance(error, AgentError):
                self._why = f"the agent cannot run there ({error.message.rstrip('.')})"
            await self._without_agent(error)
            return
        self._kept = kept = Kept(here.board)
        if here.stays and not self._erase:
            # The old files are where they were; what is there may be newer than what was saved.
            self._replace = here.place != kept.place
            self._say_unfinished()
            return
        await self._save(kept, here)

    async def _save(self, kept: Kept, here: Here) -> None:
        self._progress(FlashProgress("saving the files"))
        files = await read_files(self._url)
        earlier = kept.read()
        if here.place is not None and here.place == kept.place:
            files = {**earlier, **files}
        else:
            # The new firmware runs already, on a file system that may hold what was there long ago.
            files = {**files, **earlier}
        if not files:
            self.safe = True
            return
        folder = kept.save(files, here.place)
        self.safe = True
        others = f", {len(earlier)} of them by an earlier run that was cut off" if earlier else ""
        click.echo(
            f"Saved {len(files)} files of the board in {folder}{others}. {WARNING} If this is cut off, run the same "
            "command again: it puts them back.",
            err=True,
        )

    async def _without_agent(self, reason: BridgeError) -> None:
        """The board does not answer: a blank one, one that an earlier run left, one whose program is in the way, or one
        whose firmware lacks what the agent needs."""
        self._progress(FlashProgress("looking at the chip"))
        self._into_loader()
        async with reachable(self._url) as served:
            session = Session(served, baud=_LOOK_BAUD, lines=self._lines, progress=self._progress, url=self._url)
            async with session:
                self._kept = Kept(session.mac)
                found = await files_on_chip(session)
                if self._lines:
                    await session.reset()
        # What has been put back is saved no longer.
        self.safe = self._kept.whole
        self._say_unfinished()
        if found is not None and self._erase and not self.safe:
            raise FlashError(
                f"The board's files cannot be saved, because {self._why}; nothing has been erased",
                port=self._url,
                remedy="If a program of the board holds its console or restarts it, stop that. `--backup FILE` without "
                "--keep-files saves the whole flash, for `restore`; without both the files are given up.",
            ) from reason

    def _say_unfinished(self) -> None:
        if self._kept is not None and self._pending:
            click.echo(
                f"{len(self._kept.read())} files that a run at {self._kept.when} saved, and that are not back on the "
                f"board, are in {self._kept.folder}: they are put back.",
                err=True,
            )

    async def after(self, start: Callable[[], Awaitable[None]]) -> list[str]:
        """Put the files back; returns the names of those that had to be written.

        Args:
            start: waits until the new firmware has started.

        Raises:
            BridgeError: it does not start, or the files could not all be put back; says where they are.
        """
        if self._kept is None or not self._pending:
            return []
        await start()
        self._progress(FlashProgress("putting the files back"))
        return await put_files(self._url, self._kept, replace=self._replace)

    def explain(self, error: BridgeError) -> BridgeError:
        """The same error, which says also where saved files are and what puts them back."""
        if isinstance(error, FilesWouldBeLost):
            error.remedy = (
                f"They cannot be saved, because {self._why}: if a program of the board is in the way, stop it; else "
                "give them up with --lose-files, beside which --backup FILE saves the whole flash first."
            )
        if self._kept is not None and self._pending:
            hint = f"The board's files are saved in {self._kept.folder}; run the same command again to put them back."
            error.remedy = f"{error.remedy} {hint}" if error.remedy else hint
        return error
