from __future__ import annotations

import warnings

import pytest

from bridge.errors import UsageError
from bridge.mirror.older_forms import Kind, connection_kind, server_kind, warn_of_cert

TCP, UDP = 1, 2


@pytest.mark.parametrize(
    ("arguments", "kind"), [((TCP, 0), Kind.TCP), ((TCP, False), Kind.TCP), ((TCP, 1), Kind.TLS), ((UDP, 0), Kind.UDP)]
)
def test_kinds_of_connections(arguments: tuple[object, object], kind: Kind) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert connection_kind(*arguments) is kind
    assert [warning.category for warning in seen] == [DeprecationWarning] * (kind is not Kind.TCP)


@pytest.mark.parametrize("type", [0, 3, True, "1", None, 1.5])
def test_other_types_are_refused(type: object) -> None:
    with pytest.raises(UsageError, match="invalid type"):
        connection_kind(type, 0)


@pytest.mark.parametrize("arguments", [(UDP, 1), (TCP, 2), (TCP, "yes"), (TCP, None)])
def test_nothing_is_made_that_would_send_in_the_clear(arguments: tuple[object, object]) -> None:
    with warnings.catch_warnings(), pytest.raises(UsageError):
        warnings.simplefilter("error")
        connection_kind(*arguments)


@pytest.mark.parametrize(
    ("arguments", "seconds"), [((None, None), 30), ((30, None), 30), ((28_800, None), 28_800), ((None, 1), 1)]
)
def test_servers_of_today_give_no_warning(arguments: tuple[object, object], seconds: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert server_kind(*arguments) == (Kind.SERVER, seconds)


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        ((TCP, None), (Kind.SERVER, 30)), ((TCP, 30), (Kind.SERVER, 30)), ((TCP, 1), (Kind.SERVER, 1)),
        ((TCP, 28_800), (Kind.SERVER, 28_800)), ((UDP, None), (Kind.UDP, 30)), ((UDP, 60), (Kind.UDP, 60)),
    ],
)  # fmt: skip
def test_servers_of_the_document_mean_what_it_says(arguments: tuple[object, object], made: object) -> None:
    with pytest.warns(DeprecationWarning, match="write net.create") as seen:
        assert server_kind(*arguments) == made
    assert len(seen) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (0, None), (28_801, None), (-1, None), (30.0, None), ("30", None), (True, None), (TCP, 0), (TCP, 28_801),
        (TCP, "x"), (30, 30), (UDP, 0), (None, 0),
    ],
)  # fmt: skip
def test_what_is_no_timeout_or_type(arguments: tuple[object, object]) -> None:
    with warnings.catch_warnings(), pytest.raises(UsageError, match="timeout|type"):
        warnings.simplefilter("error")
        server_kind(*arguments)


def test_the_warning_stands_at_the_line_of_the_caller() -> None:
    for made in (lambda: connection_kind(TCP, 1), lambda: server_kind(TCP, 30), warn_of_cert):
        with pytest.warns(DeprecationWarning) as seen:
            made()
        assert seen[0].filename == __file__


def test_what_is_no_number_is_left_to_the_board() -> None:
    assert server_kind("x", None) == (Kind.SERVER, "x") and server_kind({}, None) == (Kind.SERVER, {})
