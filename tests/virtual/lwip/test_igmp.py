"""Membership in multicast groups."""

from __future__ import annotations

from bridge.virtual.lwip.address import ANY, from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.igmp import ALL_SYSTEMS, SIZE_GROUP, Groups
from tests.virtual.lwip.bare import FreeMemory

OWN, GROUP = from_dotted("10.77.0.2"), from_dotted("239.1.2.3")


def test_a_group_is_heard_between_join_and_leave() -> None:
    groups, changes = Groups(room := FreeMemory(SIZE_GROUP), lambda: OWN), []
    groups.on_changed = lambda: changes.append(list(groups))
    assert not groups.hears(GROUP) and groups.hears(OWN) and groups.hears(ALL_SYSTEMS)
    assert groups.join(ANY, GROUP) is Err.OK and groups.hears(GROUP)
    assert groups.join(OWN, GROUP) is Err.OK, "again"
    assert groups.leave(ANY, GROUP) is Err.OK and groups.hears(GROUP), "joined twice, left once"
    assert groups.join(ANY, GROUP + 1) is Err.MEM
    assert groups.leave(OWN, GROUP) is Err.OK and not groups.hears(GROUP)
    assert room.left == SIZE_GROUP and changes == [[GROUP], []]


def test_what_is_no_group_or_no_interface_of_the_board() -> None:
    groups = Groups(FreeMemory(100), lambda: OWN)
    for interface, group in ((ANY, OWN), (ANY, ALL_SYSTEMS), (OWN + 1, GROUP)):
        assert groups.join(interface, group) is Err.VAL
        assert groups.leave(interface, group) is Err.VAL
    assert groups.leave(ANY, GROUP) is Err.VAL, "not a member"
