"""Reruns that the user asks for: `--reruns` and the mark `flaky` of pytest-rerunfailures.

Its own protocol of a test would pass by what is found on the board, so it is asked for its numbers only.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

_NAME = "rerunfailures"


def reruns_of(item: pytest.Item) -> int:
    """How often a test runs again when it fails; 0 without that plugin."""
    asked = _asked(item, "get_reruns_count")
    return max(int(asked or 0), 0)


def may_rerun(item: pytest.Item) -> bool:
    """False if the user has said that such a failure is none to try again (`--only-rerun`, `--rerun-except`)."""
    return not any(getattr(item, "_terminal_errors", {}).values())


def pause_before_rerun(item: pytest.Item) -> None:
    """Wait as long as the user has said (`--reruns-delay`)."""
    time.sleep(max(float(_asked(item, "get_reruns_delay") or 0), 0.0))


def _asked(item: pytest.Item, name: str) -> Any:
    function = getattr(item.config.pluginmanager.getplugin(_NAME), name, None)
    return None if function is None else function(item)
