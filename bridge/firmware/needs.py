"""What the bridge needs of a firmware, and the builds it is tried with: firmware/catalog.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from bridge.resources import resource
from bridge.yaml_file import Strict, read_yaml

Text = Annotated[str, Field(min_length=1)]


class ModuleNeed(Strict):
    """A module of the firmware, and what it is for."""

    name: Text
    needed: bool
    """True if nothing works without."""
    gives: Text
    without: Text


class Options(Strict):
    """What else a build can be given."""

    lfs_bytes: Annotated[int, Field(ge=0)]
    debug: bool
    fatfs: bool


class Recipe(Strict):
    """A kind of build."""

    name: Text
    branch: Text
    lua: Literal["5.1", "5.3"]
    number: Literal["float", "integer", "double"]
    says: Text


class Needs(Strict):
    """All of it."""

    modules: list[ModuleNeed]
    options: Options
    recipes: list[Recipe]

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the modules without which nothing works."""
        return tuple(module.name for module in self.modules if module.needed)

    def lacking(self, modules: Iterable[str]) -> list[ModuleNeed]:
        """The modules that a firmware with these does not have, the needed ones first."""
        there = set(modules)
        return sorted((module for module in self.modules if module.name not in there), key=lambda one: not one.needed)


@cache
def read_needs() -> Needs:
    """Read the file of this installation.

    Raises:
        FileNotFoundError: the installation is not whole.
    """
    return read_yaml(resource("firmware/catalog.yaml"), Needs, "a catalog of firmware")
