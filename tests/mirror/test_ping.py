from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import UsageError
from bridge.mirror.ping import ping_arguments


def test_the_forms_of_lua() -> None:
    seen: list[tuple[object, ...]] = []

    def note(*values: object) -> None:
        seen.append(values)

    for given, count, functions in (
        ((note, None, None), 0, 1), ((3, note, None), 3, 1), ((note, note, None), 0, 2), ((3, note, note), 3, 2),
        ((None, note, None), 0, 1),
    ):  # fmt: skip
        made = ping_arguments("host.test", *given)
        assert made[:2] == ("host.test", count) and len(made) == 2 + functions
    made = ping_arguments("host.test", 2, note, note)
    answered: Any = made[2]
    ended: Any = made[3]
    answered(32, b"10.0.0.1", 1, 5)
    answered(0)
    ended(b"10.0.0.1", 2, 1, 32, 1005)
    assert seen == [(32, "10.0.0.1", 1, 5), (0, None, None, None), ("10.0.0.1", 2, 1, 32, 1005)]


@pytest.mark.parametrize(
    "given",
    [
        ("h", None, None, None), ("h", 4, None, None), ("h", 4, print, 5), ("h", print, print, print),
        ("h", -1, print, None), ("h\0", print, None, None), ("h", 1.5, print, None),
    ],
)  # fmt: skip
def test_wrong_arguments(given: tuple[Any, Any, Any, Any]) -> None:
    with pytest.raises(UsageError):
        ping_arguments(*given)
