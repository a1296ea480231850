from __future__ import annotations

import io

from rich.console import Console

from bridge.bench.table import show

RUN = {
    "baud": 115_200,
    "adapter_latency_ms": 16.0,
    "host_to_board": {"line_fraction": 0.957},
    "call": {"wire_bytes": 39},
    "agent": {"bootstrap_peak_bytes": None},
}


def shown(*runs: dict[str, object]) -> str:
    out = io.StringIO()
    show(list(runs), Console(file=out, width=100))
    return out.getvalue()


def test_runs_stand_side_by_side_with_what_there_is() -> None:
    text = shown(RUN, {**RUN, "baud": 921_600, "adapter_latency_ms": None, "call": {}})
    assert "115200 baud" in text and "921600 baud" in text and "16 ms" in text
    (payload,) = (line for line in text.splitlines() if "payload to the board" in line)
    assert payload.count("95.7%") == 2
    (wire,) = (line for line in text.splitlines() if "bytes on the wire" in line)
    assert "39" in wire and "–" in wire
    assert "bootstrap" not in text, "a figure that no run has is left out"
