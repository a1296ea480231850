from __future__ import annotations

import threading

import pytest

from bridge import sync
from bridge.errors import LuaError, UsageError


def test_pins(shared: sync.Board) -> None:
    gpio = shared.gpio
    gpio.mode(4, gpio.OUTPUT)
    gpio.write(4, gpio.HIGH)
    assert gpio.read(4) == 1
    done = threading.Event()
    gpio.serout(4, gpio.LOW, [50, 60], 2, done.set)
    assert done.wait(10)
    gpio.mode(1, gpio.INT)
    gpio.trig(1, "up", lambda level, when, count: None)
    gpio.trig(1)
    with pytest.raises(LuaError, match="invalid callback type"):
        gpio.trig(1, "up")


def test_interrupts_call_on_the_callback_thread(shared: sync.Board) -> None:
    gpio = shared.gpio
    gpio.mode(2, gpio.INT)
    seen: list[str] = []
    done = threading.Event()

    def pressed(level: int, when: int, count: int) -> None:
        seen.append(threading.current_thread().name)
        done.set()

    gpio.trig(2, "up", pressed)
    gpio.mode(2, gpio.INT, gpio.PULLUP)
    assert done.wait(10) and seen[0] == "bridge-callbacks"
    gpio.trig(2)


def test_measuring_and_serial_lines(shared: sync.Board) -> None:
    assert 0 <= shared.adc.read(0) <= 1024
    assert shared.uart.setup(1, 9600, 8, shared.uart.PARITY_NONE, shared.uart.STOPBITS_1) == 9600
    shared.uart.write(1, b"x" * 300, "y", 7)
    with pytest.raises(UsageError):
        shared.uart.alt(1)
