"""Says, while a test waits for a board, what it waits for: in the terminal, from a worker of pytest-xdist as well."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bridge.rack.needs import Needs
    from bridge.rack.rack import Rack
    from bridge.rack.status import HolderStatus


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
    held = [f"{place.name} by {_holder(place.holder)}" for place in rack.status().places if place.holder is not None]
    line = f"{who} waits for {needs}; held are {'; '.join(held) or 'none, and others came first'}"
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        _write(line)
        return
    with capture.global_and_fixture_disabled():
        # A worker's stdout is its line to the controller; what it writes to stderr comes to the terminal.
        _write(f"\n{line}")


def _holder(holder: HolderStatus) -> str:
    since = "" if holder.since is None else time.strftime(" since %H:%M:%S", time.localtime(holder.since))
    return f"{holder.user}, PID {holder.pid}, for {holder.purpose or holder.command}{since}"


def _write(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
