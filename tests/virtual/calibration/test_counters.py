"""The recorder's counters on the virtual board."""

from __future__ import annotations

from bridge.virtual.calibration.counters import build
from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def test_counters() -> None:
    async def main() -> list[str]:
        bench = await Bench.boot()
        bench.firmware.system.lua.add_module(build(bench.firmware.system))
        said = [
            await bench.answer("local a=host.icount() for i=1,1000 do end print(host.icount()-a)"),
            await bench.answer("local a=host.mallocs() for i=1,300 do local t={} end print(host.mallocs()-a)"),
            await bench.answer(
                "host.heapmin(true) local h=node.heap() X=('x'):rep(2000) node.heap() print(h-host.heapmin())"
            ),
        ]
        bench.close()
        return said

    instructions, blocks, peak = map(int, run(main()))
    assert 1000 <= instructions < 1020
    assert 270 <= blocks <= 310
    assert 1900 < peak < 2700
