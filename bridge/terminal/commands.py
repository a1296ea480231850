"""What begins with % and is for the terminal, not for the board: files brought and fetched, restarts, help."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from bridge.errors import UsageError
from bridge.files.names import check_name
from bridge.terminal.editor import Leave


class Tools(Protocol):
    """What the commands do their work with, by whatever way a terminal reaches its board."""

    async def put(self, name: str, data: bytes) -> None:
        """Store a file on the board."""

    async def get(self, name: str) -> bytes:
        """A file of the board.

        Raises:
            UsageError: there is none of this name.
        """

    async def run_file(self, name: str, source: bytes) -> None:
        """Run a chunk and show what comes of it."""

    async def reset(self) -> None:
        """Restart the board."""


@dataclass(frozen=True)
class PercentCommand:
    """One of these commands."""

    form: str
    about: str
    least: int
    most: int
    work: Callable[[Tools, list[str]], Awaitable[str]]


async def _put(tools: Tools, words: list[str]) -> str:
    path = Path(words[0])
    data = _read(path)
    name = words[1] if len(words) > 1 else path.name
    check_name(name)
    await tools.put(name, data)
    return f"{name}: {len(data)} bytes\n"


async def _get(tools: Tools, words: list[str]) -> str:
    name = words[0]
    path = Path(words[1] if len(words) > 1 else Path(name).name)
    data = await tools.get(name)
    _write(path, data)
    return f"{path}: {len(data)} bytes\n"


async def _run(tools: Tools, words: list[str]) -> str:
    await tools.run_file(Path(words[0]).name, _read(Path(words[0])))
    return ""


async def _reset(tools: Tools, words: list[str]) -> str:
    await tools.reset()
    return ""


async def _leave(tools: Tools, words: list[str]) -> str:
    raise Leave


async def _help(tools: Tools, words: list[str]) -> str:
    width = max(len(command.form) for command in COMMANDS.values())
    return "".join(f"%{command.form:{width}}  {command.about}\n" for command in COMMANDS.values()) + KEYS


#: What keys do.
KEYS = "Ctrl-C drops what is typed, Ctrl-R searches the history, Ctrl-] or Ctrl-D leaves.\n"

COMMANDS: dict[str, PercentCommand] = {
    "help": PercentCommand("help", "this", 0, 0, _help),
    "put": PercentCommand("put FILE [NAME]", "store a file on the board; FILE may be dragged here", 1, 2, _put),
    "get": PercentCommand("get NAME [FILE]", "fetch a file of the board", 1, 2, _get),
    "run": PercentCommand("run FILE", "run a Lua file of this computer on the board", 1, 1, _run),
    "reset": PercentCommand("reset", "restart the board", 0, 0, _reset),
    "leave": PercentCommand("leave", "leave, as Ctrl-] does", 0, 0, _leave),
}


async def run_command(tools: Tools, line: str) -> str:
    """Do what a line that begins with % says; returns what there is to show.

    Raises:
        UsageError: there is no such command, or it takes something else.
        Leave: that is what it says.
        BridgeError: it did not work.
    """
    word, _, rest = line.strip().removeprefix("%").partition(" ")
    command = COMMANDS.get(word)
    if command is None:
        known = ", ".join(f"%{name}" for name in COMMANDS)
        raise UsageError(f"%{word} is none of the terminal's commands", remedy=f"There are {known}.")
    words = split_words(rest)
    if not command.least <= len(words) <= command.most:
        raise UsageError(f"%{word} is written %{command.form}")
    return await command.work(tools, words)


def split_words(text: str) -> list[str]:
    """Words as a shell takes them, and files as a terminal pastes them that were dragged into it.

    Raises:
        UsageError: a quote has no end.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("A quote has no end", remedy="Close it, or write \\ before it.") from None
    return [unquote(urlsplit(word).path) if word.startswith("file://") else os.path.expanduser(word) for word in words]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", remedy="Check the file's name.") from error


def _write(path: Path, data: bytes) -> None:
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"{path} is there already", remedy="Name another file: %get NAME FILE.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})", remedy="Name another file.") from error


class CommandCompleter(Completer):
    """Completes names of commands and paths of files of this computer."""

    def __init__(self) -> None:
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """See `Completer`."""
        text = document.text_before_cursor
        if found := re.fullmatch(r"%(\w*)", text):
            for name, command in COMMANDS.items():
                if name.startswith(found[1]):
                    yield Completion(name, -len(found[1]), display_meta=command.about)
        elif found := re.fullmatch(r"%(?:put|run) +(\S*)", text):
            yield from self._paths.get_completions(Document(found[1]), complete_event)
