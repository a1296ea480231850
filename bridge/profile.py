"""Board profiles: what is true of a kind of hardware, from `device_profiles/*.yaml`. The README there is the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.errors import ProfileError
from bridge.resources import resource

Positive = Annotated[int, Field(gt=0)]
Id = Annotated[int, Field(ge=0, le=0xFFFF)]
Milliseconds = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Match(_Strict):
    """USB ids of an adapter."""

    vendor: Id
    product: Id


class Reset(_Strict):
    """How the modem lines reset the board; times in milliseconds."""

    lines: Literal["classic", "none"] = "classic"
    hold_ms: Milliseconds = 100
    boot_ms: Milliseconds = 50


class Flash(_Strict):
    """The flash chip; size in bytes, baud for flashing."""

    size: Positive = 4 * 1024 * 1024
    mode: Literal["dio", "qio", "dout", "qout"] = "dio"
    frequency: Literal["40m", "26m", "20m", "80m"] = "40m"
    baud: Positive = 460_800


class Pins(_Strict):
    """Wiring on the board, in NodeMCU's pin numbers."""

    led: Annotated[int, Field(ge=0, le=12)] | None = None
    led_on: Literal[0, 1] = 0


class Profile(_Strict):
    """A kind of board."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    match: list[Match] = Field(default_factory=list)
    reset: Reset = Reset()
    flash: Flash = Flash()
    bauds: Annotated[list[Positive], Field(min_length=1)] = Field(default_factory=lambda: [115_200])
    adapter_latency_ms: Milliseconds = 16
    cpu_mhz: Literal[80, 160] = 160
    pins: Pins = Pins()


def load_profile(name: str) -> Profile:
    """Read a profile.

    Args:
        name: a name in `device_profiles/`, or the path of a YAML file.

    Raises:
        ProfileError: there is none of this name, or the file is wrong; names file and key.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name:
        return read_profile(Path(name))
    path = resource("device_profiles") / f"{name}.yaml"
    if not path.exists():
        raise ProfileError(f"There is no profile {name}", remedy=f"Known: {', '.join(profile_names())}.")
    return read_profile(path)


def profile_names() -> list[str]:
    """Names of the profiles that come with the package."""
    return sorted(path.stem for path in resource("device_profiles").glob("*.yaml"))


def matching_profile(vendor: int | None, product: int | None) -> Profile | None:
    """The profile for a USB adapter, or None if it fits none or more than one: many kinds of board share an adapter."""
    found = [
        profile
        for profile in map(load_profile, profile_names())
        if any((entry.vendor, entry.product) == (vendor, product) for entry in profile.match)
    ]
    return found[0] if len(found) == 1 else None


def read_profile(path: Path) -> Profile:
    """Read and check one file.

    Raises:
        ProfileError: it cannot be read or is wrong; names file and key.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} cannot be read ({error})") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where is not None else ""
        raise ProfileError(f"{path} is not YAML{line}") from error
    if not isinstance(content, dict):
        raise ProfileError(f"{path} is not a profile: it must be a list of `key: value`")
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ProfileError(f"{path}: {key} is not a key of a profile") from error
        raise ProfileError(f"{path}: {key}: {first['msg']}") from error
