"""What was found on a board after a test, and whose doing it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

#: What a test does to a board, and what may be the board's own doing: only another run of the test tells.
OF_TEST = frozenset({"error", "handles", "heap", "callback", "wifi"})
OF_EITHER = frozenset({"restart", "silent", "lost", "lease"})


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: "error" Lua erred uncaught, "callback" a Python function that the board calls raised, "handles" objects of
            the board are still held, "heap" heap is missing, "wifi" its Wi-Fi is not as it was, "restart" the board
            restarted by itself, "silent" it does not answer, "lost" its port is gone, "lease" its lease is.
        text: a sentence without full stop.
        chunks: names of the Lua chunks that an error came through, the innermost first.
        owner: the test whose chunk it is, if that is another one: its nodeid, or the name of its chunks (`CHUNK`) where
            only another process knows it.
    """

    kind: str
    text: str
    chunks: tuple[str, ...] = ()
    owner: str | None = None


#: Stands before the name of a chunk of a test that another process has run.
CHUNK = "chunk "


@dataclass
class Visit:
    """A test on a board, as its reports tell of it.

    Attributes:
        place, port, mac: where the test ran; the port without passwords.
        chunk: name of the chunks that the test loads.
        firmware: what the board's firmware says of itself, for people.
        heap: free bytes, each with the seconds since the test began.
        console: what the board printed, without secrets.
        wire: the last messages of the link, a line each, without secrets.
        findings: what was found after it.
        inherited: what came between the test before and this one.
        files: of Lua, that the test named to the board.
        waited: seconds until there was a board.
        notes: what else is worth telling, a sentence each.
    """

    place: str
    port: str
    mac: str | None
    chunk: str
    firmware: str | None = None
    heap: list[tuple[float, int]] = field(default_factory=list)
    console: str = ""
    wire: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    inherited: list[Finding] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    waited: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def free(self) -> int | None:
        """Free bytes, as far as is known last."""
        return self.heap[-1][1] if self.heap else None

    def blank(self, shown: Callable[[str], str]) -> None:
        """Take secrets out of what is said of it; console and wire have none by now.

        Args:
            shown: a text as it may be shown.
        """
        self.findings = [replace(each, text=shown(each.text)) for each in self.findings]
        self.inherited = [replace(each, text=shown(each.text)) for each in self.inherited]
        self.notes = [shown(note) for note in self.notes]

    def facts(self, charged_to: str | None) -> dict[str, Any]:
        """What `report.nodemcu` is; plain values only, so that it travels between processes and into JSON.

        Args:
            charged_to: "test", "board", or the nodeid of another test; None if there is nothing to charge.
        """
        return {
            "place": self.place,
            "port": self.port,
            "mac": self.mac,
            "firmware": self.firmware,
            "chunk": self.chunk,
            "heap": [[round(when, 3), free] for when, free in self.heap],
            "console": self.console,
            "finding": "; ".join(finding.text for finding in self.findings) or None,
            "kinds": [finding.kind for finding in self.findings],
            "late": [],
            "charged_to": charged_to,
            "waited": round(self.waited, 3),
            "notes": list(self.notes),
        }
