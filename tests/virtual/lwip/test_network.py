"""Making a network from a board's options."""

from __future__ import annotations

import random

import pytest

from bridge.errors import UsageError
from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.hostnet import HostNetwork
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.network import make_network, read_site
from bridge.virtual.options import VirtualOptions

RNG = random.Random(1)


def test_the_network_is_what_the_option_says() -> None:
    assert isinstance(make_network(VirtualOptions(network="host"), "127.0.0.2", RNG), HostNetwork)
    assert isinstance(make_network(VirtualOptions(network="memory"), "10.77.0.2", RNG), MemoryNetwork)


def test_gateway_and_names_are_the_first_host_of_the_boards_network() -> None:
    site = read_site(VirtualOptions(), "127.5.6.7", RNG)
    assert site.gateway == site.dns == from_dotted("127.5.6.1") and site.dns_port == 53 and site.host is None


def test_options_override() -> None:
    options = VirtualOptions(
        gateway="127.5.6.9", dns="127.5.6.1:5353", hosts="A.test=127.0.0.5, b.test=1.2.3.4", mac="5C-CF-7F-00-00-01"
    )
    site = read_site(options, "127.5.6.7", RNG)
    assert site.gateway == from_dotted("127.5.6.9")
    assert (site.dns, site.dns_port, site.host) == (from_dotted("127.5.6.1"), 5353, from_dotted("127.5.6.1"))
    assert site.hosts == {b"a.test": from_dotted("127.0.0.5"), b"b.test": from_dotted("1.2.3.4")}
    assert site.mac == bytes.fromhex("5ccf7f000001")
    assert read_site(VirtualOptions(dns="127.0.0.1:5353"), "127.5.6.7", RNG).host is None


@pytest.mark.parametrize(
    "option",
    [{"gateway": "here"}, {"dns": "1.2.3.4:x"}, {"dns": "1.2.3"}, {"hosts": "a.test"}, {"hosts": "a=b"}, {"mac": "12"}],
)
def test_what_does_not_read_is_said_in_one_sentence(option: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        read_site(VirtualOptions(**option), "127.5.6.7", RNG)
    assert next(iter(option)) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("hosts", ["\u00e9..x=127.0.0.5", "\u00e9" * 80 + "=127.0.0.5"])
def test_a_name_that_cannot_be_asked_for_is_refused(hosts: str) -> None:
    with pytest.raises(UsageError, match="is not a host name"):
        read_site(VirtualOptions(hosts=hosts), "127.0.0.2", random.Random(1))
