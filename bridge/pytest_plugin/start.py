"""From the options of a run to its boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import BridgeError
from bridge.pytest_plugin.keys import KEY
from bridge.pytest_plugin.session import BoardSession
from bridge.rack.load import load_rack
from bridge.rack.rack import Rack


def session_of(config: pytest.Config) -> BoardSession:
    """The boards of this process; the rack is read when they are first asked for.

    Raises:
        pytest.UsageError: no rack is named, or it cannot be read; says why.
    """
    session = config.stash.get(KEY, None)
    if session is None:
        session = config.stash[KEY] = BoardSession(config, rack_of(config))
    return session


def rack_of(config: pytest.Config) -> Rack:
    """The rack that the options name; nothing of a board is touched.

    Raises:
        pytest.UsageError: they name none, or one that cannot be read; says why.
    """
    try:
        return _rack(config)
    except BridgeError as error:
        raise pytest.UsageError(str(error)) from error


def _rack(config: pytest.Config) -> Rack:
    given = [name for name in ("board", "rack", "labgrid") if config.getoption(name)]
    if len(given) > 1:
        raise pytest.UsageError(f"Give --{given[0]} or --{given[1]}, not both.")
    env = config.getoption("labgrid")
    if env is not None:
        from bridge.labgrid_place.rack import open_rack

        return open_rack(env)
    file = config.getoption("rack")
    if file is not None:
        return Rack(load_rack(Path(file)))
    urls = config.getoption("board") or config.getini("nodemcu_board")
    if not urls:
        raise pytest.UsageError("No board is named for these tests. Give --board URL, --rack FILE or --labgrid ENV.")
    return Rack.of_ports(urls)
