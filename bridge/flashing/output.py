"""What esptool prints, read: how far it is, and why it failed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import BridgeError, FlashError, PortBusy, PortError, PortLost, PortNotFound

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


def explain(output: str, url: str) -> BridgeError:
    """The error for esptool's last words."""
    fatal = re.search(r"A fatal error occurred: (.*)", output, re.S)
    words = (fatal.group(1) if fatal else output).strip()
    first = words.split("\n", 1)[0].strip()
    lowered = words.lower()
    if "could not open" in lowered or "could not exclusively lock" in lowered:
        if any(sign in lowered for sign in ("errno 11]", "errno 16]", "exclusively lock", "access is denied")):
            return PortBusy(f"Another program has {url} open", port=url, remedy="Close it and try again.")
        if "permission denied" in lowered:
            return PortError(
                f"This user may not open {url}", port=url, remedy="Join the group that may (dialout or uucp)."
            )
        return PortNotFound(
            f"There is no port {url}",
            port=url,
            remedy="Plug the board in, or see which ports there are with `nodemcu-bridge boards`.",
        )
    if any(sign in lowered for sign in ("was lost", "device disconnected", "closed the connection", "input/output")):
        return PortLost(
            f"{url} went away while flashing",
            port=url,
            remedy="Plug the board in and run the same command again; a half-written firmware does no harm.",
        )
    if re.search(r"This chip is (?!ESP8266)", words):
        return FlashError(f"{url}: {first}", port=url, remedy="This program is for ESP8266 boards.")
    if "failed to connect" in lowered:
        return FlashError(
            "No ESP8266 answers in its ROM loader",
            port=url,
            remedy="Check port and cable, or hold FLASH, press RESET, let go of both, and try again.",
        )
    return FlashError(
        f"esptool failed: {first or 'it said nothing'}",
        port=url,
        remedy="Run the same command again, with a lower --baud; until then the board may not start.",
    )
