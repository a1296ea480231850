"""The station interface."""

from __future__ import annotations

from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.interface import Interface, Site


def test_an_interface_is_up_with_an_address_and_forgets_it_when_down() -> None:
    interface = Interface(b"123456")
    assert not interface.up
    interface.configure(from_dotted("10.0.0.2"), from_dotted("255.255.255.0"), from_dotted("10.0.0.1"))
    assert interface.up and interface.dhcp_server == 0
    interface.down()
    assert not interface.up and interface.address == interface.gateway == 0 and interface.mac == b"123456"


def test_a_site_has_a_plausible_mac() -> None:
    assert len(Site(1).mac) == 6 and not Site(1).mac[0] & 1
