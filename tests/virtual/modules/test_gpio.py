"""Pins of a board, driven from outside and by Lua (app/modules/gpio.c)."""

from __future__ import annotations

import asyncio

from bridge.virtual.clock import run
from bridge.virtual.modules.gpio import pins
from tests.virtual.asked import answers, error
from tests.virtual.bench import Bench


def test_levels() -> None:
    said = answers(
        "=gpio.read(3),gpio.read(4),gpio.read(8),gpio.read(1)",
        "gpio.mode(1,gpio.OUTPUT) gpio.write(1,gpio.HIGH) print(gpio.read(1)) gpio.write(1,0) print(gpio.read(1))",
        "gpio.mode(2,gpio.INPUT,gpio.PULLUP) print(gpio.read(2)) gpio.mode(2,gpio.INPUT) print(gpio.read(2))",
        "gpio.mode(5,gpio.OPENDRAIN,1) gpio.write(5,0) print(gpio.read(5)) gpio.write(5,1) print(gpio.read(5))",
        "=gpio.INT,gpio.OUTPUT,gpio.OPENDRAIN,gpio.INPUT,gpio.HIGH,gpio.LOW,gpio.FLOAT,gpio.PULLUP",
    )
    assert said == ["1\t1\t0\t0", "1\r\n0", "1\r\n0", "0\r\n1", "2\t1\t3\t0\t1\t0\t0\t1"]


async def driven(*commands: str, levels: list[int], pin: int = 1) -> str:
    bench = await Bench.boot(cpu=0.0)
    for command in commands:
        await bench.answer(command)
    for level in levels:
        pins(bench.firmware.system).drive(pin, level)
        await asyncio.sleep(0.01)
    said = await bench.read()
    bench.close()
    return said


def test_edges_call_back() -> None:
    setup = "gpio.mode(1,gpio.INT)"
    for kind, wanted in (("up", ["1"]), ("down", ["0"]), ("both", ["1", "0"]), ("none", [])):
        trigger = f'gpio.trig(1,"{kind}"' + (")" if kind == "none" else ",function(l,w,n) print(l,w>0,n) end)")
        said = run(driven(setup, trigger, levels=[1, 0]))
        assert said.splitlines() == [f"{level}\ttrue\t1" for level in wanted], kind


def test_edges_while_lua_is_busy_are_counted() -> None:
    async def main() -> str:
        bench = await Bench.boot(cpu=0.0)
        await bench.answer('gpio.mode(1,gpio.INT) gpio.trig(1,"up",function(l,w,n) print(n) end)')
        await bench.send(b"tmr.delay(100000)\n")
        await asyncio.sleep(0.02)
        for level in (1, 0, 1, 0, 1):
            pins(bench.firmware.system).drive(1, level)
            await asyncio.sleep(0.005)
        said = await bench.read()
        bench.close()
        return said

    assert run(main()).endswith("> 3\r\n")


def test_a_level_calls_back_as_long_as_it_lasts() -> None:
    commands = (
        "gpio.mode(1,gpio.INT) n=0",
        'gpio.trig(1,"high",function() n=n+1 if n==5 then gpio.trig(1,"none") print("five") end end)',
    )
    assert run(driven(*commands, levels=[1])) == "five\r\n"


def test_mode_takes_the_callback_away() -> None:
    commands = (
        'gpio.mode(1,gpio.INT) gpio.trig(1,"both",function() print("no") end) gpio.mode(1,gpio.INPUT)',
        'gpio.mode(2,gpio.INT) gpio.trig(2,"up",print)',
    )
    assert run(driven(*commands, levels=[1, 0])) == ""


def test_serout_writes_levels_in_time() -> None:
    async def main() -> tuple[list[tuple[int, int]], str]:
        bench = await Bench.boot(cpu=0.0)
        system = bench.firmware.system
        edges: list[tuple[int, int]] = []
        pins(system).written = lambda pin, level: edges.append((system.cpu.micros(), level))
        said = await bench.answer("gpio.serout(1,1,{100,200},2) gpio.serout(1,0,{50},1,function() print('done') end)")
        said += await bench.read()
        bench.close()
        return edges, said

    edges, said = run(main())
    assert [level for _, level in edges] == [1, 0, 1, 0, 0]
    start = edges[0][0]
    assert [at - start for at, _ in edges] == [0, 100, 300, 400, 600]
    assert "done" in said


def test_wrong_arguments() -> None:
    assert error("gpio.mode(13,1)") == "bad argument #1 to 'mode' (Invalid pin)"
    assert error("gpio.mode(0,gpio.INT)") == "bad argument #1 to 'mode' (Invalid pin)"
    assert error("gpio.mode(1,9)") == "bad argument #2 to 'mode' (wrong arg type)"
    assert error("gpio.read(13)") == "gpio 13 does not exist"
    assert error("gpio.write(1,2)") == "bad argument #2 to 'write' (wrong level type)"
    assert error('gpio.trig(0,"up",print)') == "bad argument #1 to 'trig' (Invalid interrupt pin)"
    assert error('gpio.trig(1,"sideways",print)') == "bad argument #2 to 'trig' (invalid option 'sideways')"
    assert error('gpio.trig(1,"up")') == "bad argument #3 to 'trig' (invalid callback type)"
    assert error("gpio.serout(1,2,{1})") == "bad argument #2 to 'serout' (Wrong level type)"
    assert error("gpio.serout(1,1,5)") == "bad argument #3 to 'serout' (Invalid delay_times)"
