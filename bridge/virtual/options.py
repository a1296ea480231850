"""Options of a virtual board, the same for `virtual:?key=value` URLs and for the flags of `nodemcu-bridge virtual`.

Each option is one field of `VirtualOptions`; its help text is what the command line shows, and `convert` reads its
value from text in both places, so that there is one list of options and one set of rules.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import math
import re
import types
import typing
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bridge.errors import UsageError

#: `Default module set` of app/include/user_modules.h, plus what the bridge's users build in.
STOCK_MODULES = "adc,bit,dht,file,gpio,i2c,mqtt,net,node,ow,spi,tmr,uart,wifi"
#: Modules of the recorded build (tests/ground_truth), those the recorder lacked, and `tls`.
DEFAULT_MODULES = "adc,bit,crypto,encoder,file,gpio,net,node,ow,pipe,sjson,struct,tls,tmr,uart,wifi"
#: Every name that app/include/user_modules.h of release 3.0.0 knows.
KNOWN_MODULES = frozenset(
    "adc,ads1115,adxl345,am2320,apa102,bit,bloom,bme280,bme280_math,bme680,bmp085,coap,color_utils,cron,crypto,dcc,"
    "dht,encoder,enduser_setup,file,gdbstub,gpio,gpio_pulse,hdc1080,hmc5883l,http,hx711,i2c,l3g4200d,mcp4725,mdns,"
    "mqtt,net,node,ow,pcm,perf,pipe,pixbuf,pwm,pwm2,rfswitch,rotary,rtcfifo,rtcmem,rtctime,si7021,sigma_delta,sjson,"
    "sntp,softuart,somfy,spi,struct,switec,tcs34725,tls,tm1829,tmr,tsl2561,u8g2,uart,ucg,websocket,wiegand,wifi,"
    "wifi_monitor,wps,ws2801,ws2812,ws2812_effects,xpt2046".split(",")
)
#: Releases whose console and modules a virtual board can have.
RELEASES = ("3.0.0", "2.2.1")
#: Modules that a board with release 2.2.1 has not: those that are newer (app/include/user_modules.h of both), and TLS,
#: which is that of 3.x here.
NEWER_MODULES = frozenset(("bme280_math", "dcc", "pipe", "pixbuf", "pwm2", "softuart", "tls", "wiegand"))
#: Flash chips that exist on ESP8266 modules, in bytes.
FLASH_SIZES = tuple(size << 10 for size in (256, 512, 1024, 2048, 4096, 8192, 16384))
#: Options that say when a fault comes, in seconds after power-on.
FAULT_TIMES = ("reset_after_s", "brown_out_after_s", "watchdog_after_s", "unplug_after_s")


def _option(default: Any, text: str) -> Any:
    """A field with the help text of its flag."""
    return dataclasses.field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class VirtualOptions:
    """How a virtual board is made. Times in milliseconds or seconds as the name says, sizes in bytes.

    Raises:
        UsageError: a value that no board can have; names the option and what it takes.
    """

    lua: str = _option("5.1", "Lua version of the firmware: 5.1 or 5.3.")
    modules: str = _option(DEFAULT_MODULES, "Modules built into the factory firmware, separated by commas.")
    firmware: str = _option("3.0.0", "Release of the factory firmware: 3.0.0, or 2.2.1 for the console of 2.x.")
    number: str = _option("float", "Number type of the firmware: float or integer.")
    ssl: bool = _option(False, "The factory firmware's banner says SSL: true; it does so with the module tls anyway.")
    baud_pacing: bool = _option(True, "Bytes take the time they take on a wire; without, the line waits for the board.")
    adapter_latency_ms: float = _option(1.0, "Latency timer of the USB adapter; 16 on a stock FTDI driver, 0 for none.")
    cpu: float = _option(1.0, "Factor on the CPU's time; 1 is the calibrated chip, 0 computes in no time.")
    flash: float = _option(1.0, "Factor on the flash's time; 1 is the data sheet, 0 programs and erases in no time.")
    heap: int = _option(44_600, "Free heap after boot, in bytes.")
    flash_size: int = _option(4 * 1024 * 1024, "Size of the flash chip, in bytes.")
    flash_file: str | None = _option(None, "File that keeps the flash's contents; made when it does not exist.")
    blank: bool = _option(False, "The flash is empty (0xFF): the board does not boot until it is flashed.")
    echo: bool = _option(True, "The console echoes what it receives.")
    clock: str = _option("wall", "Clock of the board: wall, or virtual (only in a process that runs on one).")
    network: str = _option("auto", "host (sockets of this machine), memory, or auto: memory on the virtual clock.")
    address: str | None = _option(None, "The board's own loopback address, 127.x.y.z; a free one if not given.")
    gateway: str | None = _option(
        None, "Gateway that the board reports; if not given, the first address of its network."
    )
    dns: str | None = _option(None, "DNS server that the board learns by DHCP, IP or IP:PORT.")
    hosts: str | None = _option(None, "Names that resolve without a server: name=IP,name=IP.")
    mac: str | None = _option(None, "MAC address of the station, aa:bb:cc:dd:ee:ff.")
    wifi: str = _option("up", "The access point: up, down, off (the station is not configured), or SSID:PASSWORD.")
    seed: int = _option(0, "Seed of everything random on the board and on its line.")
    drop: float = _option(0.0, "Share of bytes lost on the line, each way.")
    flip: float = _option(0.0, "Share of bytes with one bit flipped, each way.")
    duplicate: float = _option(0.0, "Share of bytes that arrive twice, each way.")
    delay: float = _option(0.0, "Share of bytes before which the line stalls for 5 to 50 ms, each way.")
    reset_after_s: float = _option(0.0, "Reset the board once, this many seconds after power-on; 0 for never.")
    brown_out_after_s: float = _option(0.0, "Let the supply dip once, this many seconds after power-on; 0 for never.")
    watchdog_after_s: float = _option(
        0.0, "Let the hardware watchdog bite once, this many seconds after power-on; 0 for never."
    )
    unplug_after_s: float = _option(0.0, "Unplug the board once, this many seconds after power-on; 0 for never.")
    boot_text: str = _option(
        "auto",
        "The boot ROM's text at 74880 baud, for a host at another speed: wire (garbage), clear (nothing), "
        "or auto: clear on a pseudo-terminal alone, else wire.",
    )
    calibration: str | None = _option(None, "Calibration file for the CPU and heap models.")

    def __post_init__(self) -> None:
        self._one_of("lua", ("5.1", "5.3"), "a Lua version of NodeMCU")
        self._one_of("firmware", RELEASES, "a release that a virtual board has")
        self._one_of("number", ("float", "integer"), "a number type of NodeMCU")
        self._one_of("clock", ("wall", "virtual"), "a clock")
        self._one_of("network", ("auto", "host", "memory"), "a network")
        self._one_of("boot_text", ("auto", "wire", "clear"), "a way to treat the boot text")
        for name in ("drop", "flip", "duplicate", "delay"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)} is not a share of bytes", remedy="Use 0 to below 1.")
        for name in ("adapter_latency_ms", "cpu", "flash", *FAULT_TIMES):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name}={getattr(self, name)} is not zero or more", remedy="Use a plain number.")
        if not 4096 <= self.heap <= 81_920:
            raise UsageError(f"heap={self.heap} is not what an ESP8266 can have", remedy="Use 4096 to 81920 bytes.")
        if self.flash_size not in FLASH_SIZES:
            sizes = ", ".join(map(str, FLASH_SIZES))
            raise UsageError(f"flash_size={self.flash_size} is not the size of a flash chip", remedy=f"Use {sizes}.")
        self._check_modules()
        self._check_network()

    @property
    def module_names(self) -> tuple[str, ...]:
        """The modules of a freshly made board's firmware, sorted as in user_modules.h."""
        names = {name.strip() for name in self.modules.split(",") if name.strip()}
        if self.firmware == "2.2.1" and self.modules == DEFAULT_MODULES:
            names -= NEWER_MODULES
        return tuple(sorted(names))

    def _one_of(self, name: str, allowed: tuple[str, ...], what: str) -> None:
        value = getattr(self, name)
        if value not in allowed:
            choices = " or ".join((", ".join(allowed[:-1]), allowed[-1]))
            raise UsageError(f"{name}={value} is not {what}", remedy=f"Use {choices}.")

    def _check_modules(self) -> None:
        unknown = [name for name in self.module_names if name not in KNOWN_MODULES]
        if unknown:
            raise UsageError(
                f"modules={self.modules}: {', '.join(unknown)} is not a module of NodeMCU 3.0",
                remedy=f"A stock build has {STOCK_MODULES}.",
            )
        if "tls" in self.module_names and "net" not in self.module_names:
            raise UsageError(f"modules={self.modules}: tls is not built without net", remedy="Add net.")
        if self.firmware == "2.2.1":
            self._check_221()

    def _check_221(self) -> None:
        if self.lua != "5.1":
            raise UsageError(
                f"firmware=2.2.1 has no Lua {self.lua}", remedy="Use lua=5.1, or firmware=3.0.0, which has both."
            )
        newer = [name for name in self.module_names if name in NEWER_MODULES]
        if newer:
            raise UsageError(
                f"modules={self.modules}: a virtual board with firmware=2.2.1 has no module {', '.join(newer)}",
                remedy="Leave it out, or use firmware=3.0.0.",
            )

    def _check_network(self) -> None:
        for name in ("address", "gateway"):
            value = getattr(self, name)
            if value is not None:
                _ipv4(name, value)
        if self.address is not None and self.network == "host" and not self.address.startswith("127."):
            raise UsageError(
                f"address={self.address} is not a loopback address",
                remedy="A virtual board lives on 127.x.y.z, so that it never answers for another machine.",
            )
        if self.dns is not None:
            server, colon, tcp_port = self.dns.partition(":")
            _ipv4("dns", server)
            if colon and not (tcp_port.isascii() and tcp_port.isdigit() and 0 < int(tcp_port) < 65536):
                raise UsageError(f"dns={self.dns} has no port number after the colon", remedy="Use IP or IP:PORT.")
        if self.mac is not None and not re.fullmatch(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}", self.mac):
            raise UsageError(f"mac={self.mac} is not a MAC address", remedy="Use aa:bb:cc:dd:ee:ff.")


def _ipv4(name: str, value: str) -> None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise UsageError(
            f"{name}={value} is not an IPv4 address", remedy="Use four numbers such as 127.0.0.2."
        ) from None


def parse_url(url: str) -> VirtualOptions:
    """Read `virtual:?lua=5.3&cpu=0&…`.

    Raises:
        UsageError: an unknown option or a value that does not fit it; names both.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # half an IPv6 address
        parts = None
    if parts is None or parts.scheme != "virtual" or parts.netloc or parts.path not in ("", "/"):
        raise UsageError(f"{url} is not a virtual board's URL", remedy="Write virtual: or virtual:?option=value&…")
    known = {field.name for field in dataclasses.fields(VirtualOptions)}
    values: dict[str, object] = {}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        name = key.replace("-", "_")
        if name not in known:
            raise UsageError(
                f"{url}: {key} is not an option of a virtual board", remedy=f"Known: {', '.join(sorted(known))}."
            )
        values[name] = convert(name, text)
    return VirtualOptions(**values)  # type: ignore[arg-type]


def option_type(name: str) -> type:
    """The type of an option's value: str, int, float or bool; None is left out of optional ones."""
    kind = typing.get_type_hints(VirtualOptions)[name]
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    return typing.cast(type, kind)


def convert(name: str, text: str) -> object:
    """An option's value from its text.

    Raises:
        UsageError: the text does not fit the option's type.
    """
    kind = option_type(name)
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError):
        what = {bool: "yes or no", int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{name}={text} does not read as {what}", remedy=f"Give {name} {what}.") from None
