"""Board profiles: what is true of a kind of hardware, from `device_profiles/*.yaml` and the user's own folder."""

from __future__ import annotations

from bridge.profile.files import all_profiles, load_profile, profile_names, read_profile
from bridge.profile.match import matching_profiles
from bridge.profile.model import Flash, Limits, Match, Pins, Profile, Reset

__all__ = [
    "Flash",
    "Limits",
    "Match",
    "Pins",
    "Profile",
    "Reset",
    "all_profiles",
    "load_profile",
    "matching_profiles",
    "profile_names",
    "read_profile",
]
