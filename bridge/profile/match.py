"""Which profiles fit the adapter of a port. Nothing is opened: only what the system says of the adapter counts.

No command takes a profile by itself: an adapter says nothing of the flash chip behind it, and a profile's flash mode
goes into what is flashed.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.ports.base import PortInfo
from bridge.profile.files import all_profiles
from bridge.profile.model import Match, Profile


def matching_profiles(info: PortInfo, profiles: Iterable[Profile] | None = None) -> list[Profile]:
    """The profiles that fit a port, the likeliest first.

    Many kinds of board have the same adapter, so that several may fit. An entry with `text` fits better than one
    without, where the adapter's name has it, and not at all where it says something else. Where the system does not
    tell the adapter's name (or tells a driver's, as Windows does), only the numbers count.

    Args:
        info: what the system says of the port.
        profiles: to choose from; all there are by default.
    """
    known = all_profiles()[0] if profiles is None else list(profiles)
    entries = [(profile, entry) for profile in known for entry in profile.match if _same_numbers(entry, info)]
    name = info.description.lower()
    told = [profile for profile, entry in entries if entry.text is not None and entry.text.lower() in name]
    if told:
        return _once(told)
    silent = [profile for profile, entry in entries if entry.text is None]
    return _once(silent or [profile for profile, _ in entries])


def _same_numbers(entry: Match, info: PortInfo) -> bool:
    return (entry.vendor, entry.product) == (info.usb_vendor, info.usb_product)


def _once(profiles: list[Profile]) -> list[Profile]:
    return list({profile.name: profile for profile in profiles}.values())
