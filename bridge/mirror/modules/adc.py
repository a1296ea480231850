"""`board.adc`: the module `adc` (app/modules/adc.c, release 3.0.0)."""

from __future__ import annotations

from typing import ClassVar

from bridge.mirror.modules.face import Face


class AdcConstants:
    """Constants of `adc`."""

    INIT_ADC = 0x00
    INIT_VDD33 = 0xFF


class Adc(AdcConstants, Face):
    """The analog input and the supply; the chip measures one of them, as it was set to at its last start."""

    MODULE: ClassVar[str] = "adc"

    async def read(self, channel: int) -> int:
        """Measure the pin A0.

        Args:
            channel: 0, the only one.

        Returns:
            0 to 1024; 1024 is 1 V at the chip, and 3.2 V at A0 of a dev kit with its divider. 65535 in the mode
            `INIT_VDD33`.

        Raises:
            LuaError: "adc 1 does not exist".
        """
        return int(await self._one("read", channel))

    async def readvdd33(self) -> int:
        """Measure the supply.

        Returns:
            Millivolts. 65535 unless the chip started in the mode `INIT_VDD33`.
        """
        return int(await self._one("readvdd33"))

    async def force_init_mode(self, mode_value: int) -> bool:
        """Say what the chip measures from its next start on; kept in flash.

        Args:
            mode_value: `INIT_ADC` or `INIT_VDD33`.

        Returns:
            True if that was changed: it takes a restart (`board.reset()`). False if it is so already.

        Raises:
            LuaError: "Invalid mode", and errors of the flash.
        """
        return bool(await self._one("force_init_mode", mode_value))
