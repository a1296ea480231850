"""What a board is: the facts in which boards may differ without either being wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bridge.comparison.console import Console
from bridge.comparison.restart import HOLD_S, restart
from bridge.errors import LuaError

#: Every module of stock firmware (app/modules, release 3.0.0); those that are libraries of Lua itself are left out.
MODULES = (
    "adc ads1115 adxl345 am2320 apa102 bit bloom bme280 bme280_math bme680 bmp085 coap color_utils cron crypto "
    "dcc dht encoder enduser_setup file gdbstub gpio gpio_pulse hdc1080 hmc5883l http hx711 i2c l3g4200d mcp4725 mdns "
    "mqtt net node ow pcm perf pipe pixbuf pwm pwm2 rfswitch rotary rtcfifo rtcmem rtctime si7021 sigma_delta sjson "
    "sntp softuart somfy spi struct switec tcs34725 tls tm1829 tmr tsl2561 u8g2 uart ucg websocket wiegand "
    "wifi wifi_monitor wps ws2801 ws2812 ws2812_effects xpt2046"
).split()

#: Without the garbage that 5.3 lets gather at its prompt.
_HEAP = "collectgarbage() and collectgarbage() and node.heap()"
#: Free heap may differ by this share before it counts as a difference.
HEAP_TOLERANCE = 0.1


@dataclass(frozen=True)
class Facts:
    """What one board is.

    Attributes:
        lua: "5.1" or "5.3".
        number: "float" or "integer".
        modules: names of the modules that are there, sorted.
        echo: whether the console shows what is typed, from boot on.
        baud: speed of the console after a reset.
        firmware: version in the banner, "" if it says none.
        sdk: version of Espressif's SDK in the banner, "" if it says none.
        flash_size: in bytes, 0 if the firmware does not tell.
        cpu_mhz: clock of the CPU in MHz.
        heap: free heap in bytes at the prompt after a reset.
    """

    lua: str
    number: str
    modules: tuple[str, ...]
    echo: bool
    baud: int
    firmware: str
    sdk: str
    flash_size: int
    cpu_mhz: int
    heap: int

    @property
    def equal_board(self) -> str:
        """URL of a virtual board that is what this board is, as far as its options go."""
        options = {"lua": self.lua, "number": self.number, "modules": ",".join(self.modules), "echo": int(self.echo)}
        if self.flash_size:
            options["flash_size"] = self.flash_size
        return "virtual:?" + "&".join(f"{name}={quote(str(value), safe=',')}" for name, value in options.items())


@dataclass(frozen=True)
class Fact:
    """One fact that differs between two boards, as words for people."""

    name: str
    board: str
    virtual: str


async def gather(console: Console, hold_s: float | None = HOLD_S) -> Facts:
    """Reset a board and ask it what it is.

    Args:
        console: of the board.
        hold_s: as for `bridge.comparison.restart.restart`.

    Raises:
        NotNodeMCU: the prompt does not answer.
    """
    boot = (await restart(console, hold_s)).decode("latin-1")
    echo = await _echoes(console)
    await console.type("collectgarbage() collectgarbage()")  # 5.3 collects only when it must
    return Facts(
        lua=(await console.ask("_VERSION")).removeprefix("Lua "),
        number="integer" if await console.ask("1/2==0") == "true" else "float",
        modules=await _modules(console),
        echo=echo,
        baud=int(float(await console.ask("(uart.getconfig(0))"))),
        firmware=_found(r"NodeMCU (\d\S*)", boot),
        sdk=_found(r" on SDK (\S+)", boot),
        flash_size=await _flash_size(console),
        cpu_mhz=int(float(await console.ask("node.getcpufreq()"))),
        heap=int(float(await console.ask(_HEAP))),
    )


def differences(board: Facts, virtual: Facts) -> list[Fact]:
    """The facts in which a board differs from a virtual one."""
    found = []
    for name, one, other in (
        ("Lua version", board.lua, virtual.lua),
        ("number type", board.number, virtual.number),
        *_module_rows(board.modules, virtual.modules),
        ("echo at boot", _on(board.echo), _on(virtual.echo)),
        ("console baud", str(board.baud), str(virtual.baud)),
        ("firmware version", board.firmware or "not told", virtual.firmware or "not told"),
        ("SDK version", board.sdk or "not told", virtual.sdk or "not told"),
        ("flash size", f"{board.flash_size} bytes", f"{virtual.flash_size} bytes"),
        ("CPU clock", f"{board.cpu_mhz} MHz", f"{virtual.cpu_mhz} MHz"),
    ):
        if one != other:
            found.append(Fact(name, one, other))
    if abs(board.heap - virtual.heap) > HEAP_TOLERANCE * virtual.heap:
        found.append(Fact("free heap after boot", f"{board.heap} bytes", f"{virtual.heap} bytes"))
    return found


def _module_rows(board: Sequence[str], virtual: Sequence[str]) -> list[tuple[str, str, str]]:
    return [
        (f"module {name}", "present" if name in board else "absent", "present" if name in virtual else "absent")
        for name in sorted({*board, *virtual})
    ]


def _on(value: bool) -> str:
    return "on" if value else "off"


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""


async def _echoes(console: Console) -> bool:
    await console.type("--is this shown?")
    return b"is this shown?" in console.heard


async def _modules(console: Console) -> tuple[str, ...]:
    """Asks for each module by its name: what a build says of itself may be out of date."""
    found: list[str] = []
    await console.type(
        'function has(s)local r="" for m in s:gmatch("[%w_]+")do if _G[m]then r=r..m.." "end end return r end'
    )
    for first in range(0, len(MODULES), 12):
        found += (await console.ask(f'has("{" ".join(MODULES[first : first + 12])}")')).split()
    await console.type("has=nil")
    return tuple(sorted(found))


async def _flash_size(console: Console) -> int:
    """`node.info("hw").flash_size` is in KB; firmware before 3.0 answers a list, with the size in sixth place."""
    for expression in ('node.info("hw").flash_size', "(select(6,node.info()))"):
        try:
            return int(float(await console.ask(expression))) * 1024
        except (LuaError, ValueError):
            continue
    return 0
