"""The `node` module (app/modules/node.c): the chip, its tasks, its console, its start-up."""

from __future__ import annotations

from bridge.virtual.chip import rcr
from bridge.virtual.chip.efuse import chip_id, mac_address
from bridge.virtual.chip.layout import told_size
from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, Module, Value
from bridge.virtual.lua.chunk import is_chunk
from bridge.virtual.lua.rewrite import Strip
from bridge.virtual.modules.node_info import info
from bridge.virtual.modules.node_partitions import get_table, set_table
from bridge.virtual.sdk.kernel import BootReason, Kernel, TaskQueueFull
from bridge.virtual.sdk.system import System

_LOW, _MEDIUM, _HIGH = 0, 1, 2
#: Bits of the collector's mode (app/lua/lgc.h).
EGC_NOT_ACTIVE, EGC_ON_ALLOC_FAILURE, EGC_ON_MEM_LIMIT, EGC_ALWAYS = 0, 1, 2, 4
#: Waking from deep sleep, D0 being wired to RST.
_WOKEN = BootReason(2, 5)
#: FS_OBJ_NAME_LEN
_NAME_LENGTH = 31
#: What the RTC counts per microsecond, with 12 bits behind the point (about 5.75 us per tick).
_RTC_CALIBRATION = 23_552
_INT_MAX = 0x7FFFFFFF


class _Node:
    """The functions of one boot."""

    def __init__(self, system: System) -> None:
        self._system = system

    # -- tasks, errors, restarts ------------------------------------------------------------------------------------

    def post(self, arguments: Args) -> None:
        position, priority = 1, _MEDIUM
        if arguments.type_name(1) == "number":
            priority = arguments.check_integer(1)
            if not _LOW <= priority <= _HIGH:
                raise ArgumentFault(1, "invalid  priority")
            position = 2
        self._system.post_function(priority, arguments.check_function(position))

    def setonerror(self, arguments: Args) -> None:
        self._system.onerror = arguments.get(1) if arguments.is_function(1) else None

    def restart(self, arguments: Args) -> None:
        self._system.restart()

    def dsleep(self, arguments: Args) -> None:
        # The checks of option and time give luaL_argcheck their condition for the number, and never fail.
        if not arguments.is_number(1):
            return
        micros = float(arguments.check_number(1))
        # 0 sleeps until something else pulls RST, and so does what is no time at all.
        self._system.restart(_WOKEN, after=micros / 1e6 if micros > 0 else float("inf"))

    def dsleep_max(self, arguments: Args) -> int | float:
        longest = _RTC_CALIBRATION * _INT_MAX // 0x1000
        # A double that becomes an int where numbers are ints: libgcc's `__fixdfsi` stops at the largest one.
        return min(longest, _INT_MAX) if self._system.image.number == "integer" else float(longest)

    def sleep(self, arguments: Args) -> None:
        self._system.print(
            b'\n The options "TIMER_SUSPEND_ENABLE" and "PMSLEEP_ENABLE" in "app/include/user_config.h" were disabled '
            b"during FW build!\n"
        )
        raise LuaFault("node.sleep() is unavailable")

    def bootreason(self, arguments: Args) -> Value:
        boot = self._system.boot
        return (boot.raw, boot.extended, *boot.exception)

    def restore(self, arguments: Args) -> None:
        # Wi-Fi settings in the SDK's own sectors; the wifi module reads its settings from the board's options.
        return

    # -- console ----------------------------------------------------------------------------------------------------

    def input(self, arguments: Args) -> None:
        text = arguments.check_string(1)
        try:
            self._system.console.feed(text)
        except TaskQueueFull:
            raise LuaFault("Task queue overflow. Task not posted", position=False) from None

    def output(self, arguments: Args) -> None:
        board = self._system.lua.board
        if self._system.image.is_2x:
            redirected = arguments.is_function(1)
            board[b"stdout"] = arguments.get(1) if redirected else None
            board[b"serial"] = not (redirected and arguments.is_number(2) and arguments.to_integer(2) == 0)
            return
        if arguments.is_function(1):
            serial = not (arguments.is_number(2) and arguments.to_integer(2) == 0)
            board[b"stdout"] = board[b"pipe_create"](arguments.get(1), _MEDIUM)
        else:
            serial = True
            board[b"stdout"] = None
        board[b"serial"] = serial

    # -- chip -------------------------------------------------------------------------------------------------------

    def heap(self, arguments: Args) -> int:
        return int(self._system.heap.free())

    def chipid(self, arguments: Args) -> int:
        return chip_id(mac_address(self._system.options))

    def flashid(self, arguments: Args) -> int:
        return self._system.flash.jedec_id

    def flashsize(self, arguments: Args) -> Value:
        return told_size(self._system.flash.read(0, 4))

    def setcpufreq(self, arguments: Args) -> int:
        self._system.cpu.mhz = 160 if arguments.check_integer(1) == 160 else 80
        return self._system.cpu.mhz

    def getcpufreq(self, arguments: Args) -> int:
        return self._system.cpu.mhz

    def random(self, arguments: Args) -> Value:
        source = self._system.random
        if len(arguments) > 2:
            raise LuaFault("wrong number of arguments")
        if len(arguments) == 0:
            return 0 if self._system.image.number == "integer" else source.getrandbits(32) / 16 / (1 << 28)
        low = 1 if len(arguments) == 1 else arguments.check_integer(1)
        high = arguments.check_integer(len(arguments))
        if low > high:
            raise ArgumentFault(2, "interval is empty")
        return source.randint(low, high)

    # -- start-up ---------------------------------------------------------------------------------------------------

    def startupcommand(self, arguments: Args) -> bool:
        return self._write_command(arguments.check_string(1))

    def _write_command(self, command: bytes) -> bool:
        try:
            rcr.write(self._system.flash, rcr.Record.INIT_STRING, command + b"\0")
        except ValueError:
            return False
        return True

    def startup(self, arguments: Args) -> Value:
        flash = self._system.flash
        option = rcr.startup_option(flash)
        if len(arguments) > 0:
            settings = self._system.lua.items(arguments.check_table(1))
            for key, value in settings:
                option = self._apply(key, value, option)
            if any(isinstance(key, bytes) for key, _ in settings):
                rcr.write(flash, rcr.Record.STARTUP_OPTION, option.to_bytes(4, "little"))
            else:
                rcr.delete(flash, rcr.Record.STARTUP_OPTION)
                rcr.delete(flash, rcr.Record.INIT_STRING)
                option = 0
        command = rcr.read(flash, rcr.Record.INIT_STRING)
        answer: dict[str, Value] = {} if command is None else {"command": command.rstrip(b"\0")}
        answer["banner"] = not option & rcr.StartupOption.NO_BANNER
        answer["delay_mount"] = bool(option & rcr.StartupOption.DELAY_MOUNT)
        answer["frequency"] = 160 if option & rcr.StartupOption.CPU_FREQ_MAX else 80
        return self._system.lua.table(answer, 4)

    def _apply(self, key: Value, value: Value, option: int) -> int:
        bits = rcr.StartupOption
        truth = value is not None and value is not False
        match key:
            case b"command":
                if not Args((value,)).is_string(1):
                    raise ArgumentFault(-1, f"string expected, got {Args((value,)).type_name(1)}")
                if not self._write_command(Args((value,)).check_string(1)):
                    raise LuaFault("failed to set command")
            case b"banner":
                option = option & ~bits.NO_BANNER | (0 if truth else bits.NO_BANNER)
            case b"frequency":
                option = option & ~bits.CPU_FREQ_MAX | (bits.CPU_FREQ_MAX if Args((value,)).to_integer(1) == 160 else 0)
            case b"delay_mount":
                option = option & ~bits.DELAY_MOUNT | (bits.DELAY_MOUNT if truth else 0)
        return int(option)

    # -- code -------------------------------------------------------------------------------------------------------

    def compile(self, arguments: Args) -> None:
        name = arguments.check_string(1)
        if len(name.rpartition(b"/")[2]) > _NAME_LENGTH or b"\0" in name:
            raise ArgumentFault(1, "filename invalid")
        if not name.endswith(b".lua"):
            raise LuaFault("not a .lua file")
        system = self._system
        function, message = system.lua.loader.compile_file(name)
        if function is None:
            raise LuaFault(message)
        source = system.lua.loader.read_source(name) or b""
        dump = source if is_chunk(source) else system.lua.loader.precompiled(source, name)
        if not system.write_file(name[:-4] + b".lc", dump):
            raise LuaFault("cannot open/write to file")

    def stripdebug(self, arguments: Args) -> int:
        level = 0
        if arguments.get(1) is not None:
            level = arguments.to_integer(1)
            if not 1 <= level <= 3:
                raise ArgumentFault(1, "Invalid strip level")
        if len(arguments) >= 2 and not arguments.is_number(2):
            if not arguments.is_function(2):
                raise ArgumentFault(2, "not a valid function")
            # A function that exists keeps what it has: the count of bytes saved is what the program sees.
            return 0
        loader = self._system.lua.loader
        if level:
            loader.strip = Strip(level)
        return int(loader.strip)

    # -- Lua flash store: this board has none -----------------------------------------------------------------------

    def lfs_reload(self, arguments: Args) -> bytes:
        return b"No LFS partition allocated"

    def flashreload(self, arguments: Args) -> bytes:
        self._system.deprecated("node.flashreload", "soon. Use node.LFS interface instead")
        return self.lfs_reload(arguments)

    def lfs_get(self, arguments: Args) -> Value:
        return (None,)

    def lfs_field(self, arguments: Args) -> Value:
        if arguments.get(2) == b"config":
            return self._system.lua.table({"lfs_mapped": 0, "lfs_base": 0, "lfs_size": 0, "lfs_used": 0}, 4)
        return (None,)

    # -- collector (5.1) --------------------------------------------------------------------------------------------

    def egc_setmode(self, arguments: Args) -> None:
        mode = arguments.check_integer(1)
        limit = arguments.opt_integer(2, 0)
        if not 0 <= mode <= EGC_ON_ALLOC_FAILURE | EGC_ON_MEM_LIMIT | EGC_ALWAYS:
            raise ArgumentFault(1, "invalid mode")
        if mode & EGC_ON_MEM_LIMIT and limit == 0:
            raise ArgumentFault(1, "limit must be non-zero")
        self._system.set_collector(mode, limit)

    def egc_meminfo(self, arguments: Args) -> Value:
        total = self._system.lua_bytes()
        collecting = self._system.account.collecting
        return total, int(collecting.model.estimate) if collecting.on else total


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    assert isinstance(kernel, System)
    node = _Node(kernel)
    entries = {
        "heap": node.heap,
        "info": lambda arguments: info(kernel, arguments),
        "task": Module(
            "task", {"post": node.post, "LOW_PRIORITY": _LOW, "MEDIUM_PRIORITY": _MEDIUM, "HIGH_PRIORITY": _HIGH}
        ),
        "flashreload": node.flashreload,
        "flashindex": node.lfs_get,
        "LFS": Module(
            "LFS", {"list": node.lfs_get, "get": node.lfs_get, "reload": node.lfs_reload}, index=node.lfs_field
        ),
        "setonerror": node.setonerror,
        "startupcommand": node.startupcommand,
        "startup": node.startup,
        "restart": node.restart,
        "dsleep": node.dsleep,
        "dsleepMax": node.dsleep_max,
        "sleep": node.sleep,
        "chipid": node.chipid,
        "flashid": node.flashid,
        "flashsize": node.flashsize,
        "input": node.input,
        "output": node.output,
        "compile": node.compile,
        "CPU80MHZ": 80,
        "CPU160MHZ": 160,
        "setcpufreq": node.setcpufreq,
        "getcpufreq": node.getcpufreq,
        "bootreason": node.bootreason,
        "restore": node.restore,
        "random": node.random,
        "stripdebug": node.stripdebug,
    }
    if kernel.lua.version == "5.1":
        entries["egc"] = Module(
            "egc",
            {
                "meminfo": node.egc_meminfo,
                "setmode": node.egc_setmode,
                "NOT_ACTIVE": EGC_NOT_ACTIVE,
                "ON_ALLOC_FAILURE": EGC_ON_ALLOC_FAILURE,
                "ON_MEM_LIMIT": EGC_ON_MEM_LIMIT,
                "ALWAYS": EGC_ALWAYS,
            },
        )
    entries["getpartitiontable"] = lambda arguments: get_table(kernel)
    entries["setpartitiontable"] = lambda arguments: set_table(kernel, arguments)
    return Module("node", entries)
