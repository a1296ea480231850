from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.files.space import PAGE, Space, pages_of


@pytest.mark.parametrize(
    ("size", "pages"),
    [(0, 1), (1, 2), (251, 2), (252, 3), (105 * 251, 106), (105 * 251 + 1, 108), ((105 + 124) * 251 + 1, 233)],
)
def test_pages(size: int, pages: int) -> None:
    assert pages_of(size) == pages


@given(st.integers(0, 20_000))
def test_the_largest_file_is_the_largest(pages: int) -> None:
    space = Space(total=pages * PAGE, used=0)
    if space.largest:
        assert pages_of(space.largest) <= space.pages < pages_of(space.largest + 1)
    else:
        assert pages_of(1) > space.pages


def test_more_used_than_there_is() -> None:
    space = Space(total=1000, used=2000)
    assert (space.free, space.pages, space.largest) == (0, 0, 0)
