"""Says, while a test waits for a board, what it waits for: in the terminal, from a worker of pytest-xdist as well."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bridge.rack.needs import Needs
    from bridge.rack.rack import Rack


def tell(config: pytest.Config, rack: Rack, nodeid: str, needs: Needs) -> None:
    """Write a line to the terminal, beside what pytest captures.

    Args:
        config: of pytest.
        rack: that the board is waited for of.
        nodeid: who waits.
        needs: for what.
    """
    worker = getattr(config, "workerinput", {}).get("workerid")
    who = f"[{worker}] {nodeid}" if worker else nodeid
    line = f"{who} waits for {needs} of {len(rack.places)} places"
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        _write(line)
        return
    with capture.global_and_fixture_disabled():
        # A worker's stdout is its line to the controller; what it writes to stderr comes to the terminal.
        _write(f"\n{line}")


def _write(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
