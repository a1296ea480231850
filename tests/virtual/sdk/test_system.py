"""The kernel's services, asked directly."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.lua.api import LuaObject, Module
from bridge.virtual.modules.tmr import TimerObject
from bridge.virtual.sdk.kernel import BootReason, Halted, Priority, TaskQueueFull
from bridge.virtual.sdk.system import object_types
from tests.virtual.bench import Bench


def on_system(test) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        bench = await Bench.boot(modules="node,uart,tmr")
        await test(bench, bench.firmware.system)
        bench.close()

    run(main())


def test_print_goes_straight_to_the_uart_with_line_ends_translated() -> None:
    async def test(bench: Bench, system) -> None:  # type: ignore[no-untyped-def]
        await bench.type("node.output(function(p) return false end, 0)")
        system.print(b"one\ntwo\n")
        assert await bench.read() == "one\r\ntwo\r\n"

    on_system(test)


def test_restart_waits_for_the_task_and_for_its_delay() -> None:
    async def test(bench: Bench, system) -> None:  # type: ignore[no-untyped-def]
        system.event(lambda: (system.restart(BootReason(2, 4), after=1.0, text=b"bye"), system.print(b" later")))
        assert await bench.read(0.5) == " laterbye"
        assert bench.resets == [BootReason(2, 4)]
        assert (await bench.read(0.7)).startswith("\r\nNodeMCU")

    on_system(test)


def test_a_crash_resets_at_once() -> None:
    async def test(bench: Bench, system) -> None:  # type: ignore[no-untyped-def]
        system.event(system.crash)
        await bench.read(0.5)
        assert await bench.answer("=node.bootreason()") == "2\t2\t0\t0\t0\t0\t0\t0"

    on_system(test)


def test_modules_that_the_image_lacks_are_not_registered() -> None:
    async def test(bench: Bench, system) -> None:  # type: ignore[no-untyped-def]
        system.register(Module("bit", {"x": 1}))
        assert await bench.answer("=bit") == "nil"

    on_system(test)


def test_everything_that_asked_hears_of_the_end_of_the_boot() -> None:
    async def test(bench: Bench, system) -> None:  # type: ignore[no-untyped-def]
        heard: list[str] = []
        system.on_reset(lambda: heard.append("reset"))
        system.stop()
        system.stop()
        assert heard == ["reset"]

    on_system(test)


def test_a_report_that_finds_no_room_is_a_panic() -> None:
    async def test(bench: Bench, system) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(TaskQueueFull):
            for _ in range(9):
                system.post(Priority.HIGH, lambda: None)
        with pytest.raises(Halted):
            system.report(b"message")
        assert (await bench.read(5)).startswith(
            "PANIC: unprotected error in call to Lua API (Task queue overflow. Task not posted)"
        )

    on_system(test)


def test_object_types_of_loaded_modules_are_found() -> None:
    assert TimerObject.TYPE in list(object_types())
    assert "TYPE" not in vars(LuaObject)
