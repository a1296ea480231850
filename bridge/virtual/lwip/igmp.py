"""Membership in multicast groups (app/lwip/core/ipv4/igmp.c). The reports that IGMP sends to routers are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bridge.virtual.lwip.address import ANY, is_multicast
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.tcp_core import Memory

#: 224.0.0.1, "all systems": every interface is a member, and nobody joins or leaves it.
ALL_SYSTEMS = 0xE0000001
#: sizeof(struct igmp_group): next, netif and address of four bytes, flag, state, timer and use.
SIZE_GROUP = 20


class Groups:
    """The groups of one board's station interface.

    Args:
        memory: where groups are taken from.
        address: gives the interface's own address.
    """

    def __init__(self, memory: Memory, address: Callable[[], int]) -> None:
        self._memory = memory
        self._address = address
        #: group → [how often it was joined, what it holds of the memory].
        self._members: dict[int, list[int]] = {}
        #: Called when a group came or went.
        self.on_changed: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._members))

    def join(self, interface: int, group: int) -> Err:
        """Become a member; joining again counts.

        Args:
            interface: an address of the board, or ANY.
            group: the multicast address.

        Returns:
            OK; VAL when there is no such interface or group; MEM.
        """
        if not self._fits(interface, group):
            return Err.VAL
        if group not in self._members:
            taken = self._memory.take(SIZE_GROUP)
            if taken is None:
                return Err.MEM
            self._members[group] = [0, taken]
            self.on_changed()
        self._members[group][0] += 1
        return Err.OK

    def leave(self, interface: int, group: int) -> Err:
        """Undo one `join`."""
        if not self._fits(interface, group) or group not in self._members:
            return Err.VAL
        self._members[group][0] -= 1
        if not self._members[group][0]:
            self._memory.give(self._members.pop(group)[1])
            self.on_changed()
        return Err.OK

    def hears(self, target: int) -> bool:
        """True if a packet to this address is for the board, as far as groups go."""
        return not is_multicast(target) or target == ALL_SYSTEMS or target in self._members

    def _fits(self, interface: int, group: int) -> bool:
        return is_multicast(group) and group != ALL_SYSTEMS and interface in (ANY, self._address())
