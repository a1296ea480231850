"""Writes a trace: takes bytes and notes as they come, has secrets taken out, and keeps the rest in a file.

A trace must never harm what it watches: when the file can no longer be written (a full disk), tracing ends with one
warning in the log and the link goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import parse_qs

from bridge.trace import file
from bridge.trace.elision import Elider
from bridge.trace.pieces import Chunk
from bridge.trace.secrets import Known, blanked, find_secrets, merge
from bridge.wire.frame import Codec

_log = logging.getLogger("bridge.trace")


class Recorder:
    """A trace that is being written.

    Args:
        path: the file; made anew, readable by its owner only.
        url: the port.
        loop: the loop on which all methods are called, whose clock tells the times. None, where there is none: the
            system's clock, and nothing is held back for long, as nothing but notes comes.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: str | Path, url: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._path = Path(path)
        self._url = url
        self._shown_url = public_url(url)
        known = Known()
        for secret in _secrets_of(url):
            known.add(secret.encode())
        self._loop = loop
        self._clock = time.monotonic if loop is None else loop.time
        self._elider = Elider(known)
        self._session: object = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._began = self._clock()
        self._file = _File(file.create(self._path))
        # Whoever never closes it still gets what was held back.
        self._finalizer = weakref.finalize(self, _finish, self._file, self._elider, self._clock, self._began)
        self._write(
            file.header(self._shown_url, bridge=_version(), started=datetime.now(UTC).isoformat("T", "seconds"))
        )

    def sent(self, data: bytes) -> None:
        """Bytes are written."""
        self._data(data, to_host=False)

    def received(self, data: bytes) -> None:
        """Bytes arrived."""
        self._data(data, to_host=True)

    def note(self, text: str, **facts: object) -> None:
        """Something that is no data: a line change, a state. Facts are numbers, true, false and short texts."""
        self._line("=", text, **facts)

    def fault(self, text: str) -> None:
        """Something went wrong; the text is elided."""
        self._line("!", text)

    def begin(self, session: object, codec: Codec, *, baud: int, damage: float) -> None:
        """A session begins, or has just begun.

        Args:
            session: tells sessions apart: saying the same of the same one again does nothing.
            codec: of its frames.
            baud: speed of the line.
            damage: what the session was told of the line (`Session`).
        """
        if session is self._session:
            return
        self._session = session
        self._elider.begin(codec, self._clock())
        self._line("=", "session", check=codec.kind.value, epoch=codec.epoch, baud=baud, damage=round(damage, 6))

    def close(self) -> None:
        """Write what was held back, elided, and close the file. Doing it again does nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._finalizer()

    def _data(self, data: bytes, *, to_host: bool) -> None:
        if data and not self._file.closed:
            self._elider.feed(data, self._clock(), to_host=to_host)
            self._pour()

    def _line(self, mark: str, text: str, **facts: object) -> None:
        if self._file.closed:
            return
        now = self._clock()
        public = {name: self._public(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        self._elider.note(file.line(now - self._began, mark, self._public(text), **public).decode(), now)
        self._pour()

    def _public(self, text: str) -> str:
        data = text.replace(self._url, self._shown_url).encode()
        spans = merge([*find_secrets(data), *self._elider.known.spans(data)])
        return blanked(data, spans).decode("utf-8", "replace")

    def _pour(self) -> None:
        self._write(_lines(self._elider, self._began))
        if self._loop is not None:
            self._arm(None if self._file.closed else self._elider.deadline())

    def _write(self, data: bytes) -> None:
        if error := self._file.write(data):
            _log.warning("The trace %s ends here: it cannot be written (%s)", self._path, error.strerror)

    def _arm(self, at: float | None) -> None:
        if at == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = None if at is None or self._loop is None else self._loop.call_at(at, self._due)

    def _due(self) -> None:
        now = max(self._clock(), self._timer_at or 0.0)
        self._timer = self._timer_at = None
        self._elider.handle_timeout(now)
        self._pour()


class _File:
    """A descriptor that is closed at the first error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def closed(self) -> bool:
        return self._descriptor is None

    def write(self, data: bytes) -> OSError | None:
        """Write it all, at once; returns the error that ended it."""
        try:
            while data and self._descriptor is not None:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self.close()
            return error
        return None

    def close(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def _finish(target: _File, elider: Elider, clock: Callable[[], float], began: float) -> None:
    elider.flush(clock())
    target.write(_lines(elider, began))
    target.close()


def _lines(elider: Elider, began: float) -> bytes:
    out = bytearray()
    for item in elider.take():
        if isinstance(item, Chunk):
            facts = {"elided": item.elided} if item.elided else {}
            out += file.line(item.t - began, "<" if item.to_host else ">", item.kept.decode("latin-1"), **facts)
        else:
            out += item.text.encode()
    return bytes(out)


def public_url(url: str) -> str:
    """A port's URL without the passwords in it (`virtual:?wifi=SSID:PASSWORD`, `rfc2217://user:password@host`)."""
    for secret in sorted(_secrets_of(url), key=len, reverse=True):
        url = re.sub(rf"(?<=[:=]){re.escape(secret)}(?=[@&]|$)", "*" * len(secret), url)
    return url


def _secrets_of(url: str) -> list[str]:
    """Passwords in a URL, as they stand in it and as they are read."""
    found = []
    for raw in re.findall(r"[?&]wifi=[^:&]*:([^&]*)", url):
        found.append(raw)
    found += [value.partition(":")[2] for value in parse_qs(url.partition("?")[2]).get("wifi", ())]
    found += re.findall(r"://[^/@:]*:([^/@]*)@", url)
    return [secret for secret in found if secret]


def _version() -> str:
    try:
        return version("nodemcu-bridge")
    except PackageNotFoundError:
        return "unknown"
