"""Does what runs on a board suit the bridge?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.firmware.needs import Needs
from bridge.firmware.record import Model


class MissingModule(Model):
    """A module that a firmware does not have, and what that means."""

    name: str
    needed: bool
    without: str


class FirmwareFit(Model):
    """The verdict. `certain` is false where the firmware does not say which modules it has."""

    suits: bool
    certain: bool
    lacks: list[MissingModule]
    notes: list[str]


def fit_of(facts: Mapping[str, object], needs: Needs) -> FirmwareFit:
    """Judge a board by what it says of itself.

    Args:
        facts: from `bridge.inspect.inspect_board`.
        needs: of the bridge.
    """
    modules = facts.get("modules")
    if not isinstance(modules, list):
        # Release 2.x has no such list; that it answered shows that it has node.
        return FirmwareFit(
            suits=True,
            certain=False,
            lacks=[],
            notes=["The firmware does not say which modules it has; it is of a release before 3.0."],
        )
    lacks = [MissingModule(name=need.name, needed=need.needed, without=need.without) for need in needs.lacking(modules)]
    return FirmwareFit(
        suits=not any(one.needed for one in lacks), certain=True, lacks=lacks, notes=_notes(facts, modules)
    )


def _notes(facts: Mapping[str, object], modules: Sequence[object]) -> list[str]:
    notes = []
    if "tls" in modules and facts.get("ssl") is False:
        notes.append("The firmware has the module tls and says that TLS is off: the build is not of one piece.")
    return notes
