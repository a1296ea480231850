"""Levels at pins by who drives them."""

from __future__ import annotations

from bridge.virtual.modules.gpio_pins import INPUT, OPENDRAIN, OUTPUT, Pins


def test_the_world_drives_an_input() -> None:
    pins = Pins()
    assert pins.level(1) == 0
    pins.drive(1, 1)
    assert pins.level(1) == 1
    pins.drive(1, None)
    assert pins.level(1) == 0


def test_the_board_wins_on_an_output() -> None:
    pins = Pins()
    pins.configure(1, OUTPUT, False)
    pins.drive(1, 1)
    assert pins.level(1) == 0
    pins.write(1, 1)
    pins.drive(1, 0)
    assert pins.level(1) == 1


def test_an_open_drain_only_pulls_down() -> None:
    pins = Pins()
    pins.configure(1, OPENDRAIN, True)
    pins.write(1, 1)
    assert pins.level(1) == 1
    pins.drive(1, 0)
    assert pins.level(1) == 0


def test_d0_has_no_pullup() -> None:
    pins = Pins()
    pins.configure(0, INPUT, True)
    assert pins.level(0) == 0
    pins.configure(0, OPENDRAIN, True)
    assert pins.level(0) == 0
    pins.write(0, 1)
    assert pins.level(0) == 1


def test_changes_are_told() -> None:
    pins = Pins()
    told: list[tuple[int, int]] = []
    pins.changed = lambda pin, level: told.append((pin, level))
    pins.drive(1, 0)
    pins.drive(1, 1)
    pins.drive(1, 1)
    pins.configure(2, INPUT, True)
    assert told == [(1, 1), (2, 1)]
