"""The recordings of the stock firmware's console and UART, played on the virtual clock at the recorded times.

The real player (`tests/ground_truth`) plays all of them over pseudo-terminals; this one takes seconds, and sees every
byte at its time.
"""

from __future__ import annotations

import pytest

from tests.virtual.recorded import GROUND_TRUTH, difference, load, played_blocks, recorded_blocks

#: Why these differ; the same reasons hold for the real player.
DIFFERS = {
    ("recordings", "repl_output"): "the recorder stood still for 0.3 s: two lines were echoed before either ran",
    ("recordings", "repl_allbytes"): "the recorder stood still: a prompt came after the next line's time",
    ("recordings", "uarton_n255_raw"): "the recorder lost bytes while it stood still; its 5.3 recording equals ours",
    ("recordings-lua53", "repl_boot"): "the recorder's terminal lost the first carriage return",
}
#: What the stock code itself answers differently from run to run (play.py).
VARIES = {
    "repl_burst_slow", "repl_lineend", "repl_overrun", "uart_setup", "node_output_error", "oom_line_panic",
}  # fmt: skip
#: Measurements, and what needs the network: played elsewhere.
ELSEWHERE = ("mem_", "net_", "dns_", "vm_counts", "egc_modes")


def recordings() -> list[tuple[str, str]]:
    return [
        (folder, path.stem)
        for folder in ("recordings", "recordings-lua53")
        for path in sorted((GROUND_TRUTH / folder).glob("*.json"))
        if path.stem == "net_str4096" or not path.stem.startswith(ELSEWHERE)
    ]


@pytest.mark.parametrize(("folder", "name"), recordings())
def test_the_board_answers_as_recorded(folder: str, name: str) -> None:
    recording = load(folder, name)
    lua = "5.3" if folder.endswith("53") else "5.1"
    expected, got = recorded_blocks(recording), played_blocks(recording, lua)
    # `host` is a table of counters that only the recorder has.
    pairs = [(want, have) for want, have in zip(expected, got, strict=True) if "host." not in want[0]]
    wrong = difference([want for want, _ in pairs], [have for _, have in pairs])
    if name in VARIES:
        return
    if (folder, name) in DIFFERS:
        assert wrong is not None, f"the same now; take it off the list ({DIFFERS[folder, name]})"
    else:
        assert wrong is None, wrong
