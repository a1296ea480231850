"""A page in Debian's chromium, by the DevTools protocol over a pipe: what it shows and fetches, how it looks.

The protocol is JSON with a NUL behind each message, on file descriptors 3 (to the browser) and 4 (from it). Nothing
listens on a port, and no driver program is needed whose version would have to fit.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

#: Seconds for an answer of the browser.
_PATIENCE = 60.0


class ChromiumError(Exception):
    """The browser did not do what it was told; its last words are in it."""


class Chromium:
    """A browser without a window, as a context manager.

    Args:
        program: path of chromium.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._number = 0
        self._unread = b""
        #: What the browser told and nobody asked for, in order.
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Chromium:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # As root chromium runs only without its sandbox; the pages are our own.
        command = [
            self._program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}", "about:blank",
        ]  # fmt: skip
        with Path(self._folder.name, "stderr").open("wb") as words:
            # The shell gives the pipes the numbers that the protocol wants.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh", *command],
                stdin=theirs_in, stdout=theirs_out, stderr=words, start_new_session=True,
            )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, ChromiumError):
            self.call("Browser.close")
        os.close(self._out)
        os.close(self._in)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        for told in self._messages():
            if told.get("id") == self._number:
                if "error" in told:
                    raise ChromiumError(f"{method}: {told['error']['message']}")
                result = told["result"]
                assert isinstance(result, dict)
                return result
            self.events.append(told)
        raise AssertionError

    def wait_for(self, method: str, session: str) -> None:
        """Wait until a page tells of an event, if it has not yet."""
        if any(told.get("method") == method and told.get("sessionId") == session for told in self.events):
            return
        for told in self._messages():
            self.events.append(told)
            if told.get("method") == method and told.get("sessionId") == session:
                return

    def _messages(self) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + _PATIENCE
        while True:
            line, end, rest = self._unread.partition(b"\0")
            if end:
                self._unread = rest
                yield json.loads(line)
                continue
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._in, 1 << 20) if ready else b""
            if not data:
                words = Path(self._folder.name, "stderr").read_text(errors="replace").strip()[-500:]
                raise ChromiumError(f"chromium {'ended' if ready else 'did not answer'}; its last words: {words}")
            self._unread += data


class Page:
    """A page in a browser, with a note of each address that it asked for.

    Args:
        browser: where it is opened.
        path: the file.
        width, height: of the window, in pixels.
        scripts: whether scripts of the page run.
        dark: whether the reader prefers dark pages.
        media: "screen" or "print".
    """

    def __init__(
        self, browser: Chromium, path: Path, *, width: int = 1280, height: int = 900,
        scripts: bool = True, dark: bool = False, media: str = "screen",
    ) -> None:  # fmt: skip
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        # Of the empty page before.
        browser.events[:] = [told for told in browser.events if told.get("sessionId") != self._session]
        self.url = path.resolve().as_uri()
        self._call("Page.navigate", url=self.url)
        browser.wait_for("Page.loadEventFired", self._session)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def resize(self, width: int, height: int) -> None:
        """Make the window larger or smaller."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; asked from outside, and so also where the page runs no scripts."""
        told = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise ChromiumError(str(told["exceptionDetails"]))
        return told["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key, and let it go: a character, or Enter."""
        text = "\r" if key == "Enter" else key
        code = {"windowsVirtualKeyCode": ord(text.upper())} if text in "\r " else {}
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if kind == "keyDown" else {}
            self._call("Input.dispatchKeyEvent", type=kind, key=key, **code, **more)

    def _told(self) -> list[dict[str, Any]]:
        self._call("Page.getLayoutMetrics")  # what was told before its answer has arrived with it
        return [told for told in self._browser.events if told.get("sessionId") == self._session]

    def fetched(self) -> list[str]:
        """Addresses that the page asked for, itself first."""
        asked = [told["params"] for told in self._told() if told["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in asked]

    def complaints(self) -> list[str]:
        """What the browser wrote into the page's log: errors of scripts, and what a policy forbade."""
        found = []
        for told in self._told():
            if told["method"] == "Log.entryAdded":
                found.append(told["params"]["entry"]["text"])
            elif told["method"] == "Runtime.exceptionThrown":
                found.append(told["params"]["exceptionDetails"]["text"])
        return found

    def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
