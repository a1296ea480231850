"""What a rack file says: its keys and their types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from bridge.trace.recorder import public_url
from bridge.yaml_file import Strict


def _shown(text: str) -> str:
    """What is shown to people must not play with their terminals."""
    if not text.isprintable():
        raise ValueError("must have no characters that cannot be seen")
    return text


Text = Annotated[str, Field(min_length=1), AfterValidator(_shown)]
#: Nobody is shown it.
Argument = Annotated[str, Field(min_length=1)]
Pin = Annotated[int, Field(ge=0, le=12)]
Command = Annotated[list[Argument], Field(min_length=1)]


class Capabilities(Strict):
    """What the board of a place is promised to have. The truth is asked of the board."""

    flash: Annotated[int, Field(gt=0)] | None = Field(default=None, description="Bytes of flash.")
    modules: list[Text] | None = Field(default=None, description="Modules of its firmware.")
    lua: Literal["5.1", "5.3"] | None = Field(default=None, description="Version of its Lua.")


class Wiring(Strict):
    """What is wired to the board, for tests."""

    gpio: list[Annotated[list[Pin], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list, description="Pairs of pins that a wire joins, in NodeMCU's numbers."
    )
    leds: list[Pin] = Field(default_factory=list, description="Pins with an LED.")


class PowerCommands(Strict):
    """Programs that switch the board's power; lists of arguments, which no shell reads."""

    on: Command | None = None
    off: Command | None = None
    cycle: Command | None = None

    @model_validator(mode="before")
    @classmethod
    def _words(cls, content: Any) -> Any:
        """YAML takes the words on and off for yes and no."""
        if isinstance(content, dict):
            return {{True: "on", False: "off"}.get(key, key): value for key, value in content.items()}
        return content

    @model_validator(mode="after")
    def _some(self) -> PowerCommands:
        if self.cycle is None and (self.on is None or self.off is None):
            raise ValueError("must have cycle, or on and off")
        return self


class Power(Strict):
    """How the board is reset and its power switched."""

    reset: Literal["lines", "none"] = Field(
        default="lines", description="lines: RTS and DTR of its port reset it; none: they are not wired."
    )
    command: PowerCommands | None = Field(default=None, description="Programs that switch its power.")


class Place(Strict):
    """A spot with a board in it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="What it is called in messages and reports."
    )
    port: Text | None = Field(default=None, description="URL of its port.")
    usb_path: Text | None = Field(default=None, description="Where its adapter is plugged in; see `boards`.")
    serial_number: Text | None = Field(default=None, description="Its adapter's serial number; see `boards`.")
    mac: Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")] | None = Field(
        default=None, description="The MAC address of its board, by which the board is known wherever it is plugged in."
    )
    profile: Text | None = Field(default=None, description="Kind of board: a name of device_profiles, or a YAML file.")
    tags: list[Text] = Field(default_factory=list, description="Words by which tests ask for it.")
    capabilities: Capabilities = Capabilities()
    wiring: Wiring = Wiring()
    power: Power = Power()

    @field_validator("power", mode="before")
    @classmethod
    def _none(cls, power: Any) -> Any:
        return {"reset": "none"} if power == "none" else power

    @field_validator("tags")
    @classmethod
    def _once(cls, tags: list[str]) -> list[str]:
        twice = next((tag for tag in tags if tags.count(tag) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} is there twice")
        return tags

    @model_validator(mode="after")
    def _one_port(self) -> Place:
        ports = sum(port is not None for port in (self.port, self.usb_path, self.serial_number))
        if ports > 1 or (not ports and self.mac is None):
            raise ValueError("must have one of port, usb_path and serial_number, or mac alone")
        return self

    @property
    def is_virtual(self) -> bool:
        """True for a board inside this process."""
        return self.port is not None and self.port.lower().startswith("virtual:")

    @property
    def where(self) -> str:
        """Its port in words, as far as the file says it, without passwords."""
        if self.port is not None:
            return public_url(self.port)
        if self.usb_path is not None:
            return f"USB path {self.usb_path}"
        if self.serial_number is not None:
            return f"serial number {self.serial_number}"
        return f"MAC address {self.mac}"


class RackFile(Strict):
    """A rack file."""

    version: Literal[1] = Field(description="Of these keys.")
    state: Text | None = Field(
        default=None, description="Folder of locks and records, for all users. By default one below /tmp."
    )
    ttl: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=30.0, description="Seconds after which a holder that stands still loses its lease."
    )
    places: Annotated[list[Place], Field(min_length=1)]

    @model_validator(mode="after")
    def _names(self) -> RackFile:
        for key in ("name", "port", "usb_path", "serial_number", "mac"):
            values = [getattr(place, key) for place in self.places if getattr(place, key) is not None]
            twice = next(
                (value for value in values if values.count(value) > 1 and not value.lower().startswith("virtual:")),
                None,
            )
            if twice is not None:
                raise ValueError(f"two places have the {key} {twice}")
        return self
