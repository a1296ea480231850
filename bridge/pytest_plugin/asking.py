"""Which tests ask for a board. This module is loaded in every run of pytest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

_OURS = "bridge.pytest_plugin."


def uses_boards(item: pytest.Item) -> bool:
    """True for a test that asks for one of this plugin's fixtures, and not for another one of such a name."""
    asked = getattr(item, "_fixtureinfo", None)
    return asked is not None and any(_is_ours(name, found) for name, found in asked.name2fixturedefs.items())


def _is_ours(name: str, found: Sequence[pytest.FixtureDef[object]]) -> bool:
    """True if the fixture of this name that is used, the last of these, is ours or is made of ours."""
    for definition in reversed(found):
        # A function may have no module: one that was made by `exec`.
        if str(getattr(definition.func, "__module__", None)).startswith(_OURS):
            return True
        if name not in definition.argnames:
            return False
    return False
