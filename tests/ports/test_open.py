from __future__ import annotations

import asyncio

import pytest

from bridge.errors import PortNotFound, UsageError
from bridge.ports.open import open_port


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "loop://", "spy:///dev/ttyUSB0"])
def test_unknown_kinds_are_named(url: str) -> None:
    with pytest.raises(UsageError, match="is not a kind of port") as caught:
        asyncio.run(open_port(url))
    assert caught.value.exit_code == 2 and url in str(caught.value)


@pytest.mark.parametrize("path", ["/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0", "COM250"])
def test_anything_else_is_a_serial_port(path: str) -> None:
    with pytest.raises(PortNotFound):
        asyncio.run(open_port(path))


@pytest.mark.parametrize("url", ["", "  ", "a\0b", "virtual", "VIRTUAL"])
def test_what_is_no_name_is_wrong_use(url: str) -> None:
    with pytest.raises(UsageError, match="is no (name of a )?port") as caught:
        asyncio.run(open_port(url))
    assert caught.value.remedy


def test_scheme_in_capitals() -> None:
    with pytest.raises(PortNotFound, match="Nobody listens"):
        asyncio.run(open_port("RFC2217://127.0.0.1:9"))
