from __future__ import annotations

import pytest

from bridge.resources import resource


def test_data_is_found() -> None:
    assert (resource("device_profiles") / "virtual.yaml").is_file()
    assert resource("device_profiles/README.md").is_file()


def test_what_is_missing_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="nosuchfolder"):
        resource("nosuchfolder")
