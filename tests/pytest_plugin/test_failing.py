from __future__ import annotations

import pytest

from bridge.pytest_plugin.failing import failed


def test_a_failure_is_its_sentence_alone() -> None:
    with pytest.raises(pytest.fail.Exception, match="no board") as caught:
        try:
            raise KeyError("something within")
        except KeyError:
            raise failed("no board") from None
    assert caught.value.__suppress_context__
    assert not caught.value.pytrace  # type: ignore[attr-defined]
