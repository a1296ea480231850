"""Gives received bytes to either kind of protocol."""

from __future__ import annotations

import asyncio


def give(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Give data to a protocol, also to one that brings its own buffer."""
    if not isinstance(protocol, asyncio.BufferedProtocol):
        assert isinstance(protocol, asyncio.Protocol)
        protocol.data_received(data)
        return
    left = memoryview(data)
    while left:
        buffer = memoryview(protocol.get_buffer(len(left)))
        size = min(len(buffer), len(left))
        if not size:
            raise RuntimeError("get_buffer() returned an empty buffer")
        buffer[:size] = left[:size]
        protocol.buffer_updated(size)
        left = left[size:]
