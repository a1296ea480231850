"""What a test needs of its board: its marker `board`, read and judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.rack.needs import Needs

_KEYS = ("modules", "tags", "flash", "place", "lua", "restarts")


def needs_of(item: pytest.Item) -> Needs:
    """What the marks of a test ask for, all together.

    Raises:
        pytest.UsageError: a mark says what no mark can say.
    """
    modules, tags = set[str](), set[str]()
    flash, place, lua = 0, None, None
    for mark in item.iter_markers("board"):
        values = _checked(item, mark)
        modules |= _names(item, "modules", values.get("modules", ()))
        tags |= _names(item, "tags", values.get("tags", ()))
        flash = max(flash, _size(item, values.get("flash", 0)))
        place = place or _text(item, "place", values.get("place"))
        lua = lua or _lua(item, values.get("lua"))
        _yes(item, values.get("restarts", False))
    return Needs(frozenset(modules), frozenset(tags), flash, place, lua)


def may_restart(item: pytest.Item) -> bool:
    """True if the test says that its board may err and restart (`restarts=True`)."""
    return any(_yes(item, _checked(item, mark).get("restarts", False)) for mark in item.iter_markers("board"))


def _checked(item: pytest.Item, mark: pytest.Mark) -> Mapping[str, Any]:
    if mark.args:
        raise pytest.UsageError(f"{item.nodeid}: the mark board takes names only, such as board(modules=['tls']).")
    for key in mark.kwargs:
        if key not in _KEYS:
            raise pytest.UsageError(f"{item.nodeid}: the mark board knows no {key}; it knows {', '.join(_KEYS)}.")
    return mark.kwargs


def _names(item: pytest.Item, key: str, value: object) -> set[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple | set | frozenset) or not all(isinstance(name, str) for name in names):
        raise pytest.UsageError(f"{item.nodeid}: {key} of the mark board is a list of names, not {value!r}.")
    return set(names)


def _size(item: pytest.Item, value: object) -> int:
    """Bytes from a number, or from "4MB" and its like."""
    if isinstance(value, str):
        number, unit = value[:-2], value[-2:].upper()
        if unit in ("KB", "MB") and number.isascii() and number.isdigit():
            return int(number) * (1024 if unit == "KB" else 1024 * 1024)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise pytest.UsageError(f"{item.nodeid}: flash of the mark board is bytes or '4MB', not {value!r}.")


def _lua(item: pytest.Item, value: object) -> str | None:
    if value is None or value in ("5.1", "5.3"):
        return value
    raise pytest.UsageError(f"{item.nodeid}: lua of the mark board is '5.1' or '5.3', not {value!r}.")


def _yes(item: pytest.Item, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise pytest.UsageError(f"{item.nodeid}: restarts of the mark board is True or False, not {value!r}.")


def _text(item: pytest.Item, key: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise pytest.UsageError(f"{item.nodeid}: {key} of the mark board is a text, not {value!r}.")
    return value
