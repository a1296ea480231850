"""What a profile says: the schema of `device_profiles/*.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from bridge.yaml_file import Strict

Positive = Annotated[int, Field(gt=0)]
Id = Annotated[int, Field(ge=0, le=0xFFFF)]
Milliseconds = Annotated[float, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
#: Index of a pin in NodeMCU's `gpio` module (docs/modules/gpio.md of the firmware).
Index = Annotated[int, Field(ge=0, le=12)]
_MIB = 1 << 20


class Match(Strict):
    """A USB adapter that such a board has."""

    vendor: Id = Field(description="Vendor number on USB, for example 0x10c4.")
    product: Id = Field(description="Product number on USB.")
    text: Text | None = Field(
        default=None,
        description="Words that the adapter's own name must have, where several kinds share the two numbers.",
    )


class Reset(Strict):
    """How the board is reset and put into its ROM loader."""

    lines: Literal["classic", "none"] = Field(
        default="classic",
        description="classic: RTS pulls the reset and DTR pulls GPIO0; none: no lines are wired, a hand must do it.",
    )
    hold_ms: Milliseconds = Field(
        default=100,
        description="How long `repl` and `scripts/hil` hold the reset, in milliseconds; esptool has its own.",
    )
    by_hand: str = Field(
        default="", description="What a person does to enter the ROM loader; shown when the lines fail."
    )


class Flash(Strict):
    """The flash chip and how it is written."""

    size: Positive = Field(default=4 * _MIB, description="In bytes. The chip is asked before anything is written.")
    mode: Literal["dio", "qio", "dout", "qout"] = Field(default="dio", description="How the chip is wired and read.")
    frequency: Literal["40m", "26m", "20m", "80m"] = Field(default="40m", description="Clock of the flash.")
    baud: Positive = Field(default=460_800, description="Speed at which writing starts; the ladder falls from here.")


class Pins(Strict):
    """Pins, in NodeMCU's numbers."""

    led: Index | None = Field(default=None, description="Index of the LED that programs may use, or null.")
    led_on: Literal[0, 1] = Field(default=0, description="The level that lights it.")
    names: dict[Text, Index] = Field(default_factory=dict, description="What is printed on the board: its index.")


class Limits(Strict):
    """What the hardware bears, at most. Volts and milliamperes."""

    io_volts: Annotated[float, Field(gt=0)] = Field(default=3.6, description="Voltage at a pin.")
    io_ma: Annotated[float, Field(gt=0)] = Field(default=12, description="Current from one pin.")
    adc_volts: Annotated[float, Field(gt=0)] | None = Field(
        default=1.0, description="Voltage at the analog input, or null if it is not led out."
    )
    supply_ma: Annotated[float, Field(gt=0)] = Field(
        default=500, description="Current that the 3.3 V supply must give."
    )


class Profile(Strict):
    """A kind of board."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[a-z0-9][a-z0-9._-]*$")] = Field(
        description="The profile's name, as the file's."
    )
    description: str = Field(default="", description="One line for people.")
    match: list[Match] = Field(default_factory=list, description="Adapters that such a board has.")
    reset: Reset = Reset()
    flash: Flash = Flash()
    bauds: Annotated[list[Positive], Field(min_length=1)] = Field(
        default_factory=lambda: [115_200],
        description="Speeds that the adapter does without loss, rising. The line climbs as far as it proves to bear.",
    )
    adapter_latency_ms: Milliseconds = Field(
        default=16, description="How long the adapter keeps a packet that is not full, in milliseconds."
    )
    cpu_mhz: Literal[80, 160] = Field(default=160, description="Clock of the CPU while the bridge's agent runs.")
    pins: Pins = Pins()
    strapping: dict[Literal["GPIO0", "GPIO2", "GPIO15", "EN", "RST"], Text] = Field(
        default_factory=dict, description="Pins that decide how the chip starts, and what is wired to them here."
    )
    limits: Limits = Limits()
    notes: list[Text] = Field(default_factory=list, description="What a person should know of this kind of board.")

    @field_validator("bauds")
    @classmethod
    def _rising(cls, bauds: list[int]) -> list[int]:
        if bauds != sorted(set(bauds)):
            raise ValueError("must rise from the slowest to the fastest")
        return bauds

    def doubt(self, flash_size: int) -> str | None:
        """What speaks against a board being of this kind, for people; None if nothing does.

        Args:
            flash_size: of the board's chip, in bytes.
        """
        if flash_size == self.flash.size:
            return None
        return (
            f"The profile {self.name} says {self.flash.size >> 10} KB of flash, and the chip has {flash_size >> 10}: "
            "it is another board, or needs a profile of its own."
        )

    def flash_bauds(self) -> tuple[int, ...]:
        """Speeds for writing, to be tried in this order: the flash's own, then those below it that are known."""
        below = sorted((baud for baud in self.bauds if baud < self.flash.baud), reverse=True)
        return (self.flash.baud, *below)
