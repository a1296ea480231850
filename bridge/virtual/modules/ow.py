"""The `ow` module (app/modules/ow.c, app/driver/onewire.c): 1-Wire, of which the checksums are what others use.

Nothing hangs on the pins of a virtual board: the pull-up keeps every line high, so that a reset finds no presence
pulse, bytes read as 0xFF and a search finds nothing. The bit timings are waited out, as the driver does.
"""

from __future__ import annotations

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module
from bridge.virtual.sdk.kernel import Kernel

#: NUM_OW is the number of GPIO indices (app/platform/cpu_esp8266.h); D0 has no interrupts and is refused.
_PINS = 13
#: LUAL_BUFFERSIZE, the most `read_bytes` takes.
_BUFFER = 256


def _crc16_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def _crc8_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x8C if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC16 = _crc16_table()
_CRC8 = _crc8_table()


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16/ARC, as `onewire_crc16`; `crc` is the value to go on from."""
    for byte in data:
        crc = crc >> 8 ^ _CRC16[(crc ^ byte) & 0xFF]
    return crc


def crc8(data: bytes) -> int:
    """The Dallas CRC-8, as `onewire_crc8`."""
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


class OneWire:
    """The driver with its timings, in microseconds (`struct onewire_timings_s`)."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.timings = {
            "reset_tx": 480,
            "reset_wait": 70,
            "reset_rx": 410,
            "w_1_low": 5,
            "w_1_high": 52,
            "w_0_low": 65,
            "w_0_high": 5,
            "r_low": 5,
            "r_wait": 8,
            "r_delay": 52,
        }

    def setup(self, args: Args) -> None:
        if args.check_integer(1) == 0:
            raise LuaFault("no 1-wire for D0")
        self._pin(args)

    def reset(self, args: Args) -> int:
        self._pin(args)
        timing = self.timings
        self._wait(2 + timing["reset_tx"] + timing["reset_wait"] + timing["reset_rx"])
        return 0

    def skip(self, args: Args) -> None:
        self._pin(args)
        self._write(b"\xcc")

    def select(self, args: Args) -> None:
        self._pin(args)
        if args.type_name(2) == "table":
            items = dict(self.kernel.lua.items(args.get(2)))
            length = 0
            while length + 1 in items:
                length += 1
            if length != 8:
                raise LuaFault("wrong arg range")
            rom = bytearray()
            for index in range(1, 9):
                number = type(args)((items[index],)).check_integer(1)
                if number > 255:
                    raise LuaFault("wrong arg range")
                rom.append(number & 0xFF)
        else:
            rom = bytearray(args.check_string(2))
            if len(rom) != 8:
                raise LuaFault("wrong arg range")
        self._write(b"\x55" + bytes(rom))

    def write(self, args: Args) -> None:
        self._pin(args)
        value = args.check_integer(2)
        if value > 255:
            raise LuaFault("wrong arg range")
        self._write(bytes((value & 0xFF,)))

    def write_bytes(self, args: Args) -> None:
        self._pin(args)
        self._write(args.check_string(2))

    def read(self, args: Args) -> int:
        self._pin(args)
        self._wait(8 * self._read_bit())
        return 0xFF

    def read_bytes(self, args: Args) -> bytes | None:
        self._pin(args)
        size = args.check_integer(2) & 0xFFFFFFFF
        if size == 0:
            return None
        if size > _BUFFER:
            raise ArgumentFault(2, "Attempt to read too many characters")
        self._wait(8 * size * self._read_bit())
        return b"\xff" * size

    def depower(self, args: Args) -> None:
        self._pin(args)

    def reset_search(self, args: Args) -> None:
        self._pin(args)

    def target_search(self, args: Args) -> None:
        self._pin(args)
        if args.check_integer(2) > 255:
            raise LuaFault("wrong arg range")

    def search(self, args: Args) -> tuple[None]:
        self.reset(args)
        return (None,)

    def set_timings(self, args: Args) -> None:
        for number, name in enumerate(self.timings, start=1):
            if args.is_number(number):
                self.timings[name] = args.to_integer(number)

    def _pin(self, args: Args) -> None:
        pin = args.check_integer(1)
        if not 0 < pin < _PINS:
            raise LuaFault(f"ow {pin} does not exist")

    def _read_bit(self) -> int:
        timing = self.timings
        return timing["r_low"] + timing["r_wait"] + timing["r_delay"]

    def _write(self, data: bytes) -> None:
        ones = sum(byte.bit_count() for byte in data)
        timing = self.timings
        one, zero = timing["w_1_low"] + 8 + timing["w_1_high"], timing["w_0_low"] + timing["w_0_high"]
        self._wait(ones * one + (8 * len(data) - ones) * zero)

    def _wait(self, microseconds: int) -> None:
        self.kernel.cpu.busy(max(microseconds, 0) * 1e-6)


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    wire = OneWire(kernel)
    return Module(
        "ow",
        {
            "setup": wire.setup,
            "reset": wire.reset,
            "skip": wire.skip,
            "select": wire.select,
            "write": wire.write,
            "write_bytes": wire.write_bytes,
            "read": wire.read,
            "read_bytes": wire.read_bytes,
            "depower": wire.depower,
            "reset_search": wire.reset_search,
            "target_search": wire.target_search,
            "search": wire.search,
            "crc8": _crc8,
            "check_crc16": _check_crc16,
            "crc16": _crc16,
            "set_timings": wire.set_timings,
        },
    )


def _crc8(args: Args) -> int:
    data = args.check_string(1)
    if len(data) > 255:
        raise LuaFault("wrong arg range")
    return crc8(data)


def _seed(args: Args, number: int) -> int:
    """The value to go on from: anything that is no number counts as 0, negative numbers by their low 16 bits."""
    seed = args.to_integer(number) if args.is_number(number) else 0
    if seed > 65535:
        raise LuaFault("wrong arg range")
    return seed & 0xFFFF


def _crc16(args: Args) -> int:
    data = args.check_string(1)
    if len(data) > 65535:
        raise LuaFault("wrong arg range")
    return crc16(data, _seed(args, 2))


def _check_crc16(args: Args) -> bool:
    data = args.check_string(1)
    if len(data) > 65535:
        raise LuaFault("wrong arg range")
    inverted = []
    for number in (2, 3):
        inverted.append(args.check_integer(number) & 0xFF)
        if len(data) > 255:  # the C source tests the length here where it means the value
            raise LuaFault("wrong arg range")
    crc = ~crc16(data, _seed(args, 4)) & 0xFFFF
    return bytes(inverted) == crc.to_bytes(2, "little")
