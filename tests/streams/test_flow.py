from __future__ import annotations

import asyncio
from asyncio import transports
from typing import Any

import pytest

from bridge.streams.flow import HIGH_WATER, WriteFlow
from tests.streams.recording import Recording


def test_limits_suit_a_serial_line_and_asyncio_knows_the_kind() -> None:
    async def main() -> None:
        flow = WriteFlow({"x": 1}, asyncio.get_running_loop())
        protocol = Recording()
        flow.set_protocol(protocol)
        assert isinstance(flow, transports._FlowControlMixin) and flow.get_protocol() is protocol
        assert flow.get_write_buffer_limits() == (HIGH_WATER // 4, HIGH_WATER)
        flow._wrote(HIGH_WATER)
        assert protocol.calls == []
        flow._wrote(1)
        flow._wrote(1)
        flow._left(HIGH_WATER // 2)
        assert protocol.calls == ["pause"] and flow.get_write_buffer_size() == HIGH_WATER // 2 + 2
        flow._left(HIGH_WATER // 2)
        assert protocol.calls == ["pause", "resume"]

    asyncio.run(main())


@pytest.mark.parametrize(("method", "size"), [("pause_writing", 1), ("resume_writing", 0)])
def test_errors_of_the_protocol_are_told_to_the_loop(method: str, size: int) -> None:
    async def main() -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        flow, protocol = WriteFlow({}, asyncio.get_running_loop()), Recording()

        def fail() -> None:
            raise ZeroDivisionError

        setattr(protocol, method, fail)
        flow.set_protocol(protocol)
        flow.set_write_buffer_limits(high=0)
        flow._wrote(1)
        flow._left(1)
        assert [each["message"] for each in told] == [f"protocol.{method}() failed"]
        assert told[0]["transport"] is flow and told[0]["protocol"] is protocol

    asyncio.run(main())
