"""What the board's work costs in time: the CPU at 80 MHz, and the flash.

The figures stand until a real board has been measured: 1.2 µs per VM instruction, 6 µs per call into C, 0.05 µs per
byte copied, and a full collection 100 µs with 0.8 µs more per live object (the recorder's 3 µs and 0.02 µs, times 40);
flash by the data sheets of the 25-series. A calibration file, which `scripts/hil` writes from a real board, replaces
them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

from bridge.errors import UsageError


@dataclass(frozen=True)
class CostModel:
    """Costs at 80 MHz, unscaled: `Cpu.charge` applies the clock and the board's factor. Units by the names."""

    instruction_us: float = 1.2
    c_call_us: float = 6.0
    byte_us: float = 0.05
    collection_us: float = 100.0
    live_object_us: float = 0.8
    page_program_ms: float = 0.7
    sector_erase_ms: float = 45.0
    #: Where the figures come from, for reports.
    source: str = "estimate"

    def instructions(self, count: int) -> float:
        """Microseconds that so many VM instructions take."""
        return count * self.instruction_us

    def c_calls(self, count: int) -> float:
        """Microseconds that so many calls into C take, without what they do there."""
        return count * self.c_call_us

    def copied(self, size: int) -> float:
        """Microseconds that it takes to copy so many bytes."""
        return size * self.byte_us

    def collection(self, live_objects: int) -> float:
        """Microseconds of a full collection with so many objects alive."""
        return self.collection_us + live_objects * self.live_object_us


def load_costs(file: str | None) -> CostModel:
    """The cost model, with the figures of a calibration file in place of the estimates.

    Args:
        file: a JSON object of any of the model's figures, or None for the estimates.

    Raises:
        UsageError: the file cannot be read, or holds something else; names the file and the key.
    """
    if file is None:
        return CostModel()
    try:
        figures = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The calibration file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"The calibration file {file} is not JSON: {error}") from error
    if not isinstance(figures, dict):
        raise UsageError(f"The calibration file {file} is not a JSON object of figures")
    known = {field.name for field in fields(CostModel)}
    for key, value in figures.items():
        if key not in known:
            raise UsageError(
                f"The calibration file {file} has the key {key}, which is not a figure of the cost model",
                remedy=f"Known: {', '.join(sorted(known))}.",
            )
        wrong = not isinstance(value, str) if key == "source" else _is_no_cost(value)
        if wrong:
            raise UsageError(f"The calibration file {file} gives {key} as {value!r}, which is not a cost")
    return replace(CostModel(), **{"source": str(file), **figures})


def _is_no_cost(value: object) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9
