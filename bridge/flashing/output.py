"""What esptool prints, read: how far it is, and why it failed."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import BridgeError, FlashError, PortBusy, PortError, PortLost, PortNotFound
from bridge.ports.esptool_session import MARK
from bridge.ports.serial import open_error

#: Bytes of output kept to explain a failure.
KEPT = 16_384
_PERCENT = re.compile(r"(?:Writing at|Reading from) 0x[0-9a-f]+ .*?(\d+(?:\.\d+)?)%")
#: esptool's words → what is going on, for people.
_STAGES = (
    ("Connecting", "connecting to the ROM loader"),
    ("Uploading stub", "starting the flasher"),
    ("Flash will be erased", "erasing"),
    ("Erasing flash", "erasing"),
    ("Flash memory erased", "erasing"),
    ("Writing at", "writing"),
    ("Reading from", "reading"),
    ("Verifying", "verifying"),
    ("Resetting the board", "resetting"),
    ("Hard resetting", "resetting"),
)


@dataclass(frozen=True)
class FlashProgress:
    """What flashing is at."""

    stage: str
    """In words: "connecting to the ROM loader", …, "comparing", "writing", "verifying", "resetting", "starting"."""
    fraction: float | None = None
    """How much has been written or read, 0 to 1; None in other stages."""


Progress = Callable[[FlashProgress], None]

#: Stages that tell how an interrupted flashing leaves the board.
NOTHING_WRITTEN = "interrupted: nothing has been written"
HALF_WRITTEN = "interrupted while writing: the board may not start; run the same command again"


class Reader:
    """Makes progress of esptool's text, which comes in pieces; keeps the end of it.

    Args:
        progress: told of each new stage and percentage.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._line = ""
        self._stage = ""
        #: The end of what was printed, at most `KEPT` characters.
        self.output = ""

    def feed(self, text: str) -> list[str]:
        """The next piece; returns the lines that it completes."""
        self.output = (self.output + text)[-KEPT:]
        # A progress bar comes in pieces, and is redrawn with CR on some terminals: look at each whole line.
        *lines, self._line = re.split(r"[\r\n]", self._line + text)
        for entry in (*lines, self._line):
            found = next((name for words, name in _STAGES if entry.startswith(words)), self._stage)
            percent = _PERCENT.search(entry)
            if self._progress is not None and (found != self._stage or percent):
                self._progress(FlashProgress(found, float(percent.group(1)) / 100 if percent else None))
            self._stage = found
        return lines


def explain(output: str, url: str, *, by_hand: str = "", half_written: bool = False) -> BridgeError:
    """The error for esptool's last words.

    Args:
        output: what it printed.
        url: the port as the user named it.
        by_hand: what a person does to bring this board into its loader.
        half_written: a writing was begun and not ended.
    """
    fatal = re.search(r"A fatal error occurred: (.*)", output, re.S)
    words = (fatal.group(1) if fatal else output).strip()
    lines = [line.strip() for line in words.split("\n") if not line.startswith(MARK)]
    said = [line for line in lines if line] or ["it said nothing"]
    # Python's words about an error that nobody expected end with what it is.
    line = said[0] if fatal else said[-1]
    lowered = words.lower()
    if "could not open" in lowered or "could not exclusively lock" in lowered:
        return _not_open(words, url)
    if any(sign in lowered for sign in ("was lost", "device disconnected", "closed the connection", "input/output")):
        so_far = "a half-written firmware does no harm" if half_written else "nothing has been written"
        return PortLost(
            f"{url} went away while flashing",
            port=url,
            remedy=f"Plug the board in and run the same command again; {so_far}.",
        )
    if re.search(r"This chip is (?!ESP8266)", words):
        return FlashError(f"{url}: {line}", port=url, remedy="This program is for ESP8266 boards.")
    if "failed to connect" in lowered:
        return FlashError(
            "No ESP8266 answers in its ROM loader",
            port=url,
            remedy=f"Check port and cable, or bring it into its loader by hand, and try again: {by_hand}"
            if by_hand
            else "Check port and cable, or hold FLASH, press RESET, let go of both, and try again.",
        )
    so_far = "until then the board may not start" if half_written else "nothing has been written"
    return FlashError(
        f"esptool failed: {line}", port=url, remedy=f"Run the same command again, with a lower --baud; {so_far}."
    )


def _not_open(words: str, url: str) -> BridgeError:
    """The error for a port that esptool could not open, in the words of `bridge.ports.open.open_port`."""
    lowered = words.lower()
    if url.lower().startswith("rfc2217:"):
        return _no_server(lowered, url)
    if "exclusively lock" in lowered or "access is denied" in lowered:
        return open_error(url, OSError(errno.EBUSY, words))
    # pyserial's own errors, and those of termios.
    number = re.search(r"\[errno (\d+)\]|\((\d+), [\'\"]", lowered)
    return open_error(url, OSError(int(number.group(1) or number.group(2)) if number else errno.ENOENT, words))


def _no_server(lowered: str, url: str) -> BridgeError:
    if "closed the connection" in lowered or "was lost" in lowered:
        return PortBusy(
            f"{url} hangs up at once",
            port=url,
            remedy="Another client probably has the port; close it and try again.",
        )
    remedy = "If it is a plain TCP port, only a board that is in use can be reached by it: see socket://host:port."
    if "does not speak rfc 2217" in lowered:
        return PortError(f"{url} does not speak RFC 2217", port=url, remedy=remedy)
    if "does not answer as" in lowered:
        return PortError(f"{url} does not answer as an RFC 2217 server does", port=url, remedy=remedy)
    remedy = "See whether the server runs there and whether host and TCP port are right."
    if "[errno 111]" in lowered or "refused" in lowered:
        return PortNotFound(f"Nobody listens at {url}", port=url, remedy=remedy)
    if "timed out" in lowered:
        return PortNotFound(f"{url} does not answer", port=url, remedy=remedy)
    return PortNotFound(f"{url} cannot be reached", port=url, remedy=remedy)
