from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.ports.base import is_port
from bridge.ports.open import open_port
from bridge.virtual import clock


class Wrapped:
    """What a user may put around a port."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def test_a_port_is_told_from_what_is_none() -> None:
    async def main() -> None:
        port = await open_port("virtual:")
        assert is_port(port) and is_port(Wrapped(port))
        await port.close()

    clock.run(main())
    assert not any(map(is_port, ("virtual:", Path("/dev/ttyUSB0"), None, 3, object())))
