"""The `adc` module (app/modules/adc.c). What the pin measures is set from outside: `Adc.value`.

Taken from the C source and docs/modules/adc.md; no recording of a board covers it.
"""

from __future__ import annotations

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module
from bridge.virtual.sdk.kernel import Kernel

#: What the ADC answers in the mode that measures the supply (docs/modules/adc.md).
_UNREADABLE = 65535
_INIT_ADC = 0x00
_INIT_VDD33 = 0xFF
#: `esp_init_data` byte 107 of the PHY_DATA partition, which a stock 4 MB board has at 0xF000.
_INIT_DATA = 0xF000
_MODE_BYTE = 107
_SECTOR = 4096


class Adc:
    """The converter and what stands at its input.

    Args:
        kernel: services of this boot.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        #: 0 to 1024: what the pin measures (1 V on the bare chip).
        self.value = 0
        #: Millivolts of the supply.
        self.supply = 3300
        self.mode = _INIT_VDD33 if self._stored_mode() == _INIT_VDD33 else _INIT_ADC

    def read(self, args: Args) -> int:
        """`adc.read(0)`."""
        channel = args.check_integer(1) & 0xFFFFFFFF
        if channel >= 1:
            # "%d" prints the unsigned number as a signed one.
            raise LuaFault(f"adc {args.check_integer(1)} does not exist")
        return _UNREADABLE if self.mode == _INIT_VDD33 else self.value & 0xFFFF

    def read_supply(self, args: Args) -> int:
        """`adc.readvdd33()`: millivolts; 65535 unless the board started in the mode for it."""
        return self.supply if self.mode == _INIT_VDD33 else _UNREADABLE

    def force_mode(self, args: Args) -> bool:
        """`adc.force_init_mode(mode)`: kept in flash, in force after the next restart; False if it is so already."""
        mode = args.check_integer(1) & 0xFF
        if mode not in (_INIT_ADC, _INIT_VDD33):
            raise ArgumentFault(1, "Invalid mode")
        if self._stored_mode() == mode:
            return False
        flash = self.kernel.flash
        data = bytearray(flash.read(_INIT_DATA, _SECTOR))
        data[_MODE_BYTE] = mode
        if mode == _INIT_VDD33:
            flash.erase(_INIT_DATA, _SECTOR)
            self.kernel.cpu.busy(45e-3 * flash.factor)
        flash.program(_INIT_DATA, bytes(data))
        self.kernel.cpu.busy(16 * 0.7e-3 * flash.factor)
        return True

    def _stored_mode(self) -> int:
        """The mode byte in flash; a PHY_DATA sector without init data counts as the default mode."""
        data = self.kernel.flash.read(_INIT_DATA, _SECTOR)
        return data[_MODE_BYTE] if data[0] == 0x05 else _INIT_ADC


def adc_of(kernel: Kernel) -> Adc:
    """The converter of the board in this boot."""
    # Among the parts of the boot: a table of this module's would hold each boot for good, with its VM and its flash.
    if "adc" not in kernel.parts:
        kernel.parts["adc"] = Adc(kernel)
    adc: Adc = kernel.parts["adc"]
    return adc


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    adc = adc_of(kernel)
    return Module(
        "adc",
        {
            "read": adc.read,
            "readvdd33": adc.read_supply,
            "force_init_mode": adc.force_mode,
            "INIT_ADC": _INIT_ADC,
            "INIT_VDD33": _INIT_VDD33,
        },
    )
