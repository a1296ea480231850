"""Where a person types: lines with a history, and single keys while the board is at work."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.completion import Completer
from prompt_toolkit.formatted_text import to_plain_text
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from bridge.terminal.history import ChunkHistory


class Leave(Exception):
    """Whoever sits at the terminal wants to leave it."""


class Dropped(Exception):
    """What was typed so far is to be forgotten."""


class Input(Protocol):
    """Lines of a person or a file."""

    async def line(self, prompt: str) -> str:
        """The next line.

        Raises:
            Leave: there is none, or none is wanted.
            Dropped: what was typed so far is to be forgotten.
        """

    async def key(self) -> str:
        """The next key ("c-c", "c-]", "y"); "c-]" where there is nobody."""

    def keep(self, chunk: str) -> None:
        """Remember a chunk that was run."""

    def show(self, text: str) -> None:
        """Show text, above a line that is being edited."""

    @contextmanager
    def keys(self, pressed: Callable[[str], bool]) -> Iterator[None]:
        """While this lasts, `pressed` gets each key ("c-c", "c-]", "y"); those that it takes are gone.

        What it returns says whether it took the key; what it did not take is the start of the next line.
        """
        yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts, all keys are for this, also those between a line and the next."""
        yield


class Editor:
    """Lines edited on this terminal.

    Args:
        history: of chunks.
        completer: of words, or None.
    """

    def __init__(self, history: ChunkHistory, completer: Completer | None = None) -> None:
        self._history = history
        bindings = KeyBindings()

        # Eager: by itself the library waits for a key after it ("go to the next such character").
        @bindings.add(Keys.ControlSquareClose, eager=True)
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=Leave())

        self._session: PromptSession[str] = PromptSession(
            history=history, key_bindings=bindings, completer=completer, complete_while_typing=False,
            enable_open_in_editor=False, interrupt_exception=Dropped, eof_exception=Leave,
        )  # fmt: skip

    async def line(self, prompt: str) -> str:
        """See `Input.line`."""
        return await self._session.prompt_async(prompt)

    async def key(self) -> str:
        """See `Input.key`."""
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def pressed(key: str) -> bool:
            taken = not found.done()
            if taken:
                found.set_result(key)
            return taken

        with self.keys(pressed):
            return await found

    def keep(self, chunk: str) -> None:
        """See `Input.keep`."""
        self._history.keep(chunk)

    def show(self, text: str) -> None:
        """See `Input.show`."""

        def write() -> None:
            self._session.output.write_raw(text)
            self._session.output.flush()

        if self._session.app.is_running:
            run_in_terminal(write)
        else:
            write()

    @contextmanager
    def keys(self, pressed: Callable[[str], bool]) -> Iterator[None]:
        """See `Input.keys`."""
        source = self._session.input

        def take(keys: list[KeyPress]) -> None:
            store_typeahead(source, [press for press in keys if not pressed(_name(press.key))])

        take(get_typeahead(source))
        with source.raw_mode(), source.attach(lambda: take(source.read_keys())):
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """See `Input.held`."""
        # Else Ctrl-C would end the program when it comes between two lines.
        with self._session.input.raw_mode():
            yield


class PlainLines:
    """Lines from standard input where it is no terminal: a file, or what another program says."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        # A thread of its own that nobody waits for: what never says more must not keep the process.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        line = b"?"
        while line:
            line = sys.stdin.buffer.readline()
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    async def line(self, prompt: str) -> str:
        """See `Input.line`."""
        # Lua source is bytes, and need not be text in anybody's encoding.
        line = await self._lines.get()
        if not line:
            raise Leave
        return line.decode("utf-8", "surrogateescape").rstrip("\r\n")

    async def key(self) -> str:
        """There are no keys."""
        return "c-]"

    def keep(self, chunk: str) -> None:
        """Nothing is remembered."""

    def show(self, text: str) -> None:
        """See `Input.show`."""
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()

    @contextmanager
    def keys(self, pressed: Callable[[str], bool]) -> Iterator[None]:
        """There are no keys."""
        yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """There are no keys."""
        yield


def _name(key: Keys | str) -> str:
    return key.value if isinstance(key, Keys) else to_plain_text(key)
