"""From the options of a run to its boards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.errors import BridgeError
from bridge.ports.open import check_options
from bridge.pytest_plugin.keys import KEY
from bridge.pytest_plugin.session import BoardSession
from bridge.rack.load import load_rack, port_key
from bridge.rack.rack import Rack


def session_of(config: pytest.Config) -> BoardSession:
    """The boards of this process; the rack is read when they are first asked for.

    Raises:
        pytest.UsageError: no rack is named, or it cannot be read; says why.
    """
    session = config.stash.get(KEY, None)
    if session is None:
        rack = rack_of(config)
        try:
            session = config.stash[KEY] = BoardSession(config, rack)
        except BridgeError as error:  # Wi-Fi for tests that cannot be
            raise pytest.UsageError(str(error)) from error
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
    _check_ports(urls)
    return Rack.of_ports(urls)


def _check_ports(urls: Sequence[str]) -> None:
    known: dict[str, str] = {}
    for url in urls:
        check_options(url)
        if url.lower().startswith("virtual:"):  # each is a board of its own
            continue
        other = known.get(key := port_key(url))
        if other is not None:
            both = url if url == other else f"{other} and {url}"
            raise pytest.UsageError(f"--board names one port twice: {both}.")
        known[key] = url
