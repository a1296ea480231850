"""What is to be measured: at which speeds, on which board, and how much of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from bridge.errors import UsageError
from bridge.ports.base import CONSOLE_BAUD

#: Speeds that stock firmware knows (app/platform/platform.c) and the usual adapters have, in baud. Asked for any other
#: below the console's, a board would be at 9600, and stay there.
SPEEDS = (9_600, 19_200, 31_250, 38_400, 57_600, 74_880, 115_200, 230_400, 256_000, 460_800, 921_600)
#: The longest latency timer that an FTDI adapter has, in milliseconds.
LONGEST_LATENCY_MS = 255.0


@dataclass(frozen=True)
class Row:
    """A line that is measured: its speed in baud, and its adapter's latency timer in ms (None: the adapter's own)."""

    baud: int
    latency_ms: float | None

    def __str__(self) -> str:
        return f"{self.baud} baud" + ("" if self.latency_ms is None else f", {self.latency_ms:g} ms")


#: What is measured on `virtual:` when nothing is asked for.
DEFAULT_ROWS = (Row(115_200, 1.0), Row(115_200, 16.0), Row(921_600, 1.0))


@dataclass(frozen=True)
class Amounts:
    """How much is measured. Bytes are payload."""

    bytes_at_115200: int = 64 * 1024
    """For each direction; twice as much at 460800 baud and above."""
    round_trips: int = 60
    wire_samples: int = 12
    pipelined: int = 256
    upload: int = 100_000
    questions: int = 200
    host_bytes: int = 256 * 1024
    """For the host's CPU time, each way."""


QUICK = Amounts(
    bytes_at_115200=16 * 1024,
    round_trips=16,
    wire_samples=4,
    pipelined=200,
    upload=16_000,
    questions=40,
    host_bytes=64 * 1024,
)


@dataclass(frozen=True)
class Plan:
    """A whole run.

    Args:
        url: the port.
        rows: lines to measure, one after the other.
        seed: of payloads, of the agent's epoch and of a virtual board.
        cpu: factor on every CPU cost of a virtual board.
        amounts: how much.
        against: other programs to upload a file with.
        host: also measure the CPU time of the bridge itself, which no two runs have in common.
        trace: file for what goes over the line while a row is measured, all but its heap.
    """

    url: str
    rows: tuple[Row, ...]
    seed: int = 0
    cpu: float = 1.0
    amounts: Amounts = Amounts()
    against: tuple[str, ...] = ()
    host: bool = True
    trace: Path | None = None

    def trace_of(self, row: Row) -> Path | None:
        """The file of a row: of several rows each has one of its own, such as bench-921600-1.trace."""
        if self.trace is None or len(self.rows) == 1 or not self.trace.name:
            return self.trace
        latency = "" if row.latency_ms is None else f"-{row.latency_ms:g}"
        return self.trace.with_name(f"{self.trace.stem}-{row.baud}{latency}{self.trace.suffix}")

    @property
    def virtual(self) -> bool:
        """True for a board of this process."""
        return self.url.lower().startswith("virtual:")

    @property
    def virtual_clock(self) -> bool:
        """True if the rows run on the virtual clock: on `virtual:` unless its URL says clock=wall."""
        return self.virtual and dict(parse_qsl(self.url.partition("?")[2])).get("clock") != "wall"

    def rng(self, what: str) -> random.Random:
        """A source of random numbers for one purpose, the same in each run."""
        return random.Random(f"{self.seed} {what}")

    def volume(self, row: Row) -> int:
        """Bytes of payload to move each way."""
        return self.amounts.bytes_at_115200 * (2 if row.baud >= 460_800 else 1)


def parse_rows(text: str) -> tuple[Row, ...]:
    """Read "115200/1,921600/16": speed and latency timer of each row.

    Raises:
        UsageError: it does not read so, or no line has such a speed or timer.
    """
    rows = []
    for part in text.split(","):
        baud, slash, latency = part.strip().partition("/")
        if not slash:
            raise UsageError(f"--rows {text}: {part.strip() or 'nothing'} is not baud/latency", remedy=_ROWS)
        rows.append(Row(*parse_bauds(baud, "--rows"), *parse_latencies(latency, "--rows")))
    return tuple(dict.fromkeys(rows))


_ROWS = "Write rows as 115200/1,921600/16: baud, slash, milliseconds."


def parse_bauds(text: str, option: str = "--baud") -> tuple[int, ...]:
    """Read a list of speeds in baud.

    Raises:
        UsageError: one is not a speed.
    """
    found = []
    for part in text.split(","):
        word = part.strip()
        if word not in map(str, SPEEDS):
            raise UsageError(
                f"{option} {text}: {word or 'nothing'} is not a speed that a board's firmware has",
                remedy=f"Use some of {', '.join(map(str, SPEEDS))}, separated by commas.",
            )
        found.append(int(word))
    return tuple(dict.fromkeys(found))


def parse_latencies(text: str, option: str = "--latency") -> tuple[float, ...]:
    """Read a list of latency timers in milliseconds.

    Raises:
        UsageError: one is not such a time.
    """
    found = []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = -1.0
        if not 0 <= value <= LONGEST_LATENCY_MS:
            raise UsageError(
                f"{option} {text}: {part.strip() or 'nothing'} is not a latency timer",
                remedy=f"Use 0 to {LONGEST_LATENCY_MS:g} ms, separated by commas.",
            )
        found.append(value)
    return tuple(dict.fromkeys(found))


def choose_rows(url: str, *, rows: str | None, baud: str | None, latency: str | None) -> tuple[Row, ...]:
    """The rows that the options ask for.

    Args:
        url: the port; only a virtual board's adapter has a latency that can be chosen.
        rows: of `--rows`.
        baud: of `--baud`.
        latency: of `--latency`.

    Raises:
        UsageError: they contradict each other, or do not read as what they should be.
    """
    virtual = url.lower().startswith("virtual:")
    if not virtual and (rows is not None or latency is not None):
        raise UsageError(
            "The latency of a real adapter cannot be chosen here", port=url, remedy="Leave --rows and --latency out."
        )
    if rows is not None:
        if baud is not None or latency is not None:
            raise UsageError("--rows says all of --baud and --latency", remedy="Give either --rows or the others.")
        return parse_rows(rows)
    if virtual and baud is None and latency is None:
        return DEFAULT_ROWS
    bauds = parse_bauds(baud) if baud is not None else (CONSOLE_BAUD,)
    if not virtual:
        return tuple(Row(each, None) for each in bauds)
    latencies = parse_latencies(latency) if latency is not None else (1.0,)
    return tuple(Row(each, ms) for each in bauds for ms in latencies)
