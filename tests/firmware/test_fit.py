from __future__ import annotations

from bridge.firmware.fit import fit_of
from bridge.firmware.needs import read_needs

NEEDS = read_needs()


def test_a_firmware_that_has_all() -> None:
    fit = fit_of({"modules": [need.name for need in NEEDS.modules], "ssl": True}, NEEDS)
    assert fit.suits and fit.certain and fit.lacks == [] and fit.notes == []


def test_what_is_needed_decides() -> None:
    fit = fit_of({"modules": ["node", "uart", "tmr", "file"], "ssl": False}, NEEDS)
    assert not fit.suits and fit.lacks[0].name == "net" and fit.lacks[0].needed
    assert not any(one.needed for one in fit.lacks[1:])
    assert fit_of({"modules": ["node", "uart", "tmr", "net"], "ssl": False}, NEEDS).suits


def test_tls_without_tls() -> None:
    assert "not of one piece" in fit_of({"modules": ["tls"], "ssl": False}, NEEDS).notes[0]


def test_a_firmware_that_does_not_say() -> None:
    fit = fit_of({"modules": None}, NEEDS)
    assert fit.suits and not fit.certain and fit.lacks == [] and "does not say" in fit.notes[0]
