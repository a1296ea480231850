"""Options of a virtual board: defaults, URLs, and what is refused in which words."""

from __future__ import annotations

import dataclasses

import pytest

from bridge.errors import UsageError
from bridge.virtual.options import DEFAULT_MODULES, VirtualOptions, convert, option_type, parse_url


def test_a_bare_url_is_the_default_board() -> None:
    assert parse_url("virtual:") == VirtualOptions() == parse_url("virtual:?")
    assert VirtualOptions().module_names == tuple(DEFAULT_MODULES.split(","))


def test_an_older_release_comes_without_the_modules_that_it_lacks() -> None:
    names = parse_url("virtual:?firmware=2.2.1").module_names
    assert set(DEFAULT_MODULES.split(",")) - set(names) == {"pipe", "tls"}


def test_every_option_can_be_written_in_a_url() -> None:
    options = parse_url(
        "virtual:?lua=5.3&modules=net,tls,uart&baud-pacing=0&cpu=0.5&adapter_latency_ms=16&clock=virtual&heap=40000"
        "&seed=7&drop=0.01&flip=0.001&duplicate=0&delay=0.1&address=127.0.0.9&dns=127.0.0.1:5353&blank=yes"
    )
    assert options.lua == "5.3" and options.module_names == ("net", "tls", "uart")
    assert options.baud_pacing is False and options.blank is True and options.cpu == 0.5
    assert (options.seed, options.drop, options.dns) == (7, 0.01, "127.0.0.1:5353")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("virtual:?foo=1", "foo is not an option"),
        ("virtual:?cpu=fast", "cpu=fast does not read as a number"),
        ("virtual:?cpu=-1", "cpu=-1.0 is not zero or more"),
        ("virtual:?cpu=inf", "cpu=inf is not zero or more"),
        ("virtual:?heap=2.5", "a whole number"),
        ("virtual:?heap=100", "heap=100"),
        ("virtual:?ssl=maybe", "yes or no"),
        ("virtual:?lua=5.2", "Use 5.1 or 5.3"),
        ("virtual:?firmware=1.5", "Use 3.0.0 or 2.2.1"),
        ("virtual:?firmware=2.2.1&lua=5.3", "firmware=2.2.1 has no Lua 5.3"),
        ("virtual:?firmware=2.2.1&modules=node,pipe", "with firmware=2.2.1 has no module pipe"),
        ("virtual:?clock=moon", "Use wall or virtual"),
        ("virtual:?network=moon", "Use auto, host or memory"),
        ("virtual:?drop=1", "drop=1.0 is not a share"),
        ("virtual:?flip=nan", "flip=nan is not a share"),
        ("virtual:?modules=net,nosuch", "nosuch is not a module"),
        ("virtual:?modules=tls,uart", "tls is not built without net"),
        ("virtual:?flash_size=5", "flash_size=5"),
        ("virtual:?address=localhost", "address=localhost is not an IPv4 address"),
        ("virtual:?address=192.168.1.2&network=host", "not a loopback address"),
        ("virtual:?dns=127.0.0.1:x", "no port number"),
        ("virtual:?mac=1234", "not a MAC address"),
        ("virtual://host", "is not a virtual board's URL"),
        ("virtual://[half", "is not a virtual board's URL"),
        ("virtual:path", "is not a virtual board's URL"),
    ],
)
def test_what_no_board_can_be_is_refused_in_one_sentence(url: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_every_field_has_a_help_text_and_reads_from_text() -> None:
    for field in dataclasses.fields(VirtualOptions):
        assert field.metadata["help"].endswith("."), field.name
        if field.default is not None:
            text = "yes" if field.default is True else "no" if field.default is False else str(field.default)
            assert convert(field.name, text) == field.default
        assert option_type(field.name) in (str, int, float, bool)
