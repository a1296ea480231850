"""Where pytest keeps what the plugin knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bridge.pytest_plugin.findings import Visit
    from bridge.pytest_plugin.session import BoardSession

#: The boards of this process, on the configuration.
KEY: pytest.StashKey[BoardSession] = pytest.StashKey()
#: What was found on the boards of a test, on the test.
VISITS: pytest.StashKey[list[Visit]] = pytest.StashKey()
