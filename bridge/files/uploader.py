"""The same by nodemcu-uploader, for boards on which the agent cannot run: slower, and with less than `Files` promises.

nodemcu-uploader is a program of its own and types Lua at the prompt. It overwrites files in place.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

from bridge.errors import FileError, NoSuchFile, UsageError
from bridge.files.names import check_name, shown
from bridge.files.upload import Written
from bridge.mirror.modules.file_pieces import Progress
from bridge.mirror.modules.text import Data, to_contents
from bridge.ports.uploader_launcher import END_WITH_INPUT
from bridge.trace.secrets import discreet_text

#: Seconds for the program to get the prompt and to prepare the board, and for each byte both ways, at the least.
_BEGIN_S, _BYTE_S = 60.0, 0.004
#: Seconds to format a flash.
_FORMAT_S = 400.0
#: Names that it can type at a prompt as they are; a colon it takes for the end of a name.
_TYPED = re.compile(r"[ !#-9;-\[\]-~]+")
#: What it needs itself: it takes the UART over by `uart.on`, and types functions of 2 KB.
_REMEDY = "To send and to fetch it needs the module uart and some heap: reset the board, or flash another image."
_LISTED = re.compile(r"(.*\S) +(\d+)")


def can_use(url: str) -> bool:
    """True for ports that the program can open: those of this machine."""
    return "://" not in url and not url.lower().startswith("virtual:")


class UploaderFiles:
    """Files on the board's flash by nodemcu-uploader.

    Args:
        url: path or name of a serial port, which nobody has open.
        baud: speed of the board's console.
    """

    def __init__(self, url: str, baud: int) -> None:
        self._url = url
        self._baud = baud
        #: Nothing is finished here that was cut off; as `Files.finished`.
        self.finished: tuple[str, ...] = ()

    async def ls(self) -> dict[str, int]:
        """Names of the files, sorted, and their sizes in bytes."""
        said = await self._run("file", "list", seconds=_BEGIN_S)
        found = (_LISTED.fullmatch(line.rstrip("\r")) for line in said.splitlines())
        return dict(sorted((each[1], int(each[2])) for each in found if each is not None))

    async def put(self, name: str, contents: Data, *, told: Progress | None = None) -> Written:
        """Make a file, or overwrite one, and read it back."""
        _check(name)
        data = to_contents(contents)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
            (Path(folder) / "contents").write_bytes(data)
            seconds = _BEGIN_S + 2 * len(data) * _BYTE_S
            await self._run("upload", "--verify", "raw", "--", f"contents:{name}", seconds=seconds, folder=folder)
        if (await self.ls()).get(name) != len(data):
            raise FileError(
                f"The board does not hold what was written of {shown(name)}",
                port=self._url,
                remedy="Is its file system full?",
            )
        if told is not None:
            told(len(data), len(data))
        took = loop.time() - began
        return Written(name, len(data), "raw", took, took)

    async def get(self, name: str, *, told: Progress | None = None) -> bytes:
        """The contents of a file."""
        _check(name)
        there = await self.ls()
        self._require((name,), there)
        with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
            seconds = _BEGIN_S + there[name] * _BYTE_S
            await self._run("download", "--", f"{name}:contents", seconds=seconds, folder=folder)
            fetched = Path(folder) / "contents"
            data = fetched.read_bytes() if fetched.exists() else b""
        if len(data) != there[name]:
            raise FileError(f"{shown(name)} did not come as it is on the board", port=self._url, remedy="Try again.")
        if told is not None:
            told(len(data), len(data))
        return data

    async def rm(self, *names: str) -> None:
        """Remove files; none of them if one is not there."""
        for name in names:
            _check(name)
        self._require(names, await self.ls())
        await self._run("file", "remove", "--", *names, seconds=_BEGIN_S)
        left = [shown(name) for name in names if name in await self.ls()]
        if left:
            raise FileError(f"The board did not remove {', '.join(left)}", port=self._url)

    async def format(self) -> None:
        """Erase all files."""
        await self._run("file", "format", seconds=_FORMAT_S)

    def _require(self, names: tuple[str, ...], there: dict[str, int]) -> None:
        absent = [shown(name) for name in names if name not in there]
        if absent:
            raise NoSuchFile(
                f"There is no file {' and no file '.join(absent)} on the board",
                port=self._url,
                remedy="`fs ls` shows what there is.",
            )

    async def _run(self, *arguments: str, seconds: float, folder: str | None = None) -> str:
        """Run the program to its end; what it says.

        Raises:
            FileError: it failed, or was not done in time; with its last words.
        """
        speed = ["--baud", str(self._baud), "--start_baud", str(self._baud)]
        # -P: modules in the user's folder are not ours; the launcher is, and the program's folder does not hold it.
        launcher = [sys.executable, "-P", "-m", "bridge.ports.uploader_launcher", END_WITH_INPUT]
        command = [*launcher, "--port", self._url, *speed, *arguments]
        path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                # Not communicate(), which may close its standard input, and so end it.
                out = await process.stdout.read()
                await process.wait()
        except BaseException as error:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if not isinstance(error, TimeoutError):
                raise
            raise FileError(
                f"nodemcu-uploader was not done within {seconds:.0f} s", port=self._url, remedy=_REMEDY
            ) from error
        said = out.decode(errors="replace")
        if process.returncode:
            # It cites what it gets from the console.
            last = (discreet_text(said).strip().splitlines() or ["no word"])[-1].rpartition("exceptions.")[2]
            raise FileError(f"nodemcu-uploader failed: {last[:300]}", port=self._url, remedy=_REMEDY)
        return said


def _check(name: str) -> None:
    check_name(name, scratch=True)
    if not _TYPED.fullmatch(name):
        raise UsageError(
            f"nodemcu-uploader, which is used as the agent cannot run, cannot type the name {shown(name)}",
            remedy='Use ASCII without ", \\ and colons.',
        )
