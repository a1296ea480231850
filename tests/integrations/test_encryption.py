from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import UsageError
from bridge.integrations.encryption import most_connections


def test_a_client_keeps_what_the_stack_serves_or_what_the_heap_holds() -> None:
    assert most_connections("host") == 5 and most_connections("board") == 1


def test_nobody_else_encrypts() -> None:
    nobody: Any = "peer"
    with pytest.raises(UsageError, match='Write "host" or "board"'):
        most_connections(nobody)
