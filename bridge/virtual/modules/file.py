"""The `file` module (app/modules/file.c, app/platform/vfs.c): the file system as Lua sees it."""

from __future__ import annotations

from typing import ClassVar

from bridge.virtual.chip.layout import PartitionType, find
from bridge.virtual.chip.rcr import partition_table
from bridge.virtual.cost import load_costs
from bridge.virtual.lua.api import (
    Args,
    ArgumentFault,
    Builtin,
    Call,
    LuaFault,
    LuaObject,
    Module,
    ObjectType,
    Result,
    Value,
)
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap
from bridge.virtual.spiffs import Busy, FileSystem, Handle, Whence, mount
from bridge.virtual.spiffs.geometry import NAME_LENGTH

#: FILE_READ_CHUNK: what `read` without a length and `readline` take at most.
_CHUNK = 1024
_EVERYTHING = 0x7FFFFFFF
#: sizeof(struct myvfs_file) and sizeof(struct myvfs_dir) with its spiffs_DIR.
_FILE_STRUCT, _DIR_STRUCT = 12, 24
#: The logical drive (`MY_LDRV_ID`).
_DRIVE = b"/FLASH"
_UNABLE = b"\n*** ERROR ***: unable to format. FS might be compromised.\nIt is advised to re-flash the NodeMCU image.\n"
#: A dot is printed for each of this many sectors.
_DOT = 16


def filesystem(kernel: Kernel) -> FileSystem:
    """The board's file system, mounted at the first call of a boot (`do_flash_mount`).

    A partition without one is formatted, which the console says and which takes its time.
    """
    fs: FileSystem | None = kernel.parts.get("filesystem")
    if fs is None:
        table = partition_table(kernel.flash) or ()
        partition = find(table, PartitionType.SPIFFS0)
        address, size = (0, 0) if partition is None else (partition.address, partition.size)
        mounted = mount(kernel.flash, address, size, _busy(kernel))
        fs = kernel.parts["filesystem"] = mounted.fs
        if not mounted.found:
            kernel.print(b"Formatting file system. Please wait...\n")
            _format(kernel, mounted.fs)
    return fs


def _busy(kernel: Kernel) -> Busy:
    def wait(seconds: float) -> None:
        kernel.cpu.feed()  # app/platform/platform.c does so before each operation
        kernel.cpu.busy(seconds * kernel.flash.factor)

    costs = load_costs(kernel.options.calibration)
    return Busy(wait, costs.page_program_ms * 1e-3, costs.sector_erase_ms * 1e-3)


def _format(kernel: Kernel, fs: FileSystem) -> bool:
    def dot(sector: int) -> None:
        if sector % _DOT == 0:
            kernel.print(b".")

    done = fs.format(dot)
    if not done:
        kernel.print(_UNABLE)
    return done


class FileObject(LuaObject):
    """A `file.obj`: a handle until it is closed."""

    TYPE: ClassVar[ObjectType]

    def __init__(self, kernel: Kernel, handle: Handle, claimed: int) -> None:
        self._kernel = kernel
        self.handle: Handle | None = handle
        self._claimed = claimed

    def close(self) -> None:
        """Close the file; again does nothing."""
        if self.handle is not None:
            self.handle.close()
            self._kernel.heap.release(self._claimed)
            self.handle = None

    def collected(self) -> None:
        self.close()


class File:
    """The module's state: the implicit current file (`file_fd`, `file_fd_ref`)."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        #: What functions without an object work on; stays set after a close, and then everything fails.
        self.current: Handle | None = None
        self.reference: FileObject | None = None

    @property
    def fs(self) -> FileSystem:
        return filesystem(self.kernel)

    def open(self, args: Args) -> FileObject | tuple[None]:
        """`file.open(name[, mode])`."""
        self._unreference()
        name = self._name(args, 1)
        mode = args.opt_string(2, b"r").split(b"\0", 1)[0]
        opened = self._open(name, mode)
        return (None,) if opened is None else opened

    def close(self, args: Args) -> None:
        """`file.close()`, `fileobj:close()`."""
        target = args.check_object(1, FileObject) if args.type_name(1) == "userdata" else self.reference
        if target is not None:
            target.close()
        self._unreference()

    def read(self, args: Args) -> bytes | tuple[None]:
        """`file.read([count | end])`."""
        handle, at = self._target(args)
        count, end = _CHUNK, b""
        if args.type_name(at) == "number":
            count = args.check_integer(at)
        elif args.is_string(at):
            end = args.check_string(at)
            if len(end) != 1:
                raise LuaFault("wrong arg range")
        return _read(handle, count, end)

    def readline(self, args: Args) -> bytes | tuple[None]:
        """`file.readline()`."""
        handle, _ = self._target(args)
        return _read(handle, _CHUNK, b"\n")

    def write(self, args: Args) -> bool | tuple[None]:
        """`file.write(string)`."""
        handle, at = self._opened(args)
        data = args.check_string(at)
        return True if handle.write(data) == len(data) else (None,)

    def writeline(self, args: Args) -> bool | tuple[None]:
        """`file.writeline(string)`."""
        handle, at = self._opened(args)
        data = args.check_string(at)
        return True if handle.write(data) == len(data) and handle.write(b"\n") == 1 else (None,)

    def seek(self, args: Args) -> int | tuple[None]:
        """`file.seek([whence[, offset]])`."""
        handle, at = self._opened(args)
        whence = Whence(args.check_option(at, ("set", "cur", "end"), "cur"))
        offset = args.opt_integer(at + 1, 0)
        return handle.tell() if handle.seek(offset, whence) else (None,)

    def flush(self, args: Args) -> bool | tuple[None]:
        """`file.flush()`."""
        handle, _ = self._opened(args)
        return True if handle.flush() else (None,)

    def exists(self, args: Args) -> bool:
        """`file.exists(name)`."""
        name = self._name(args, 1)
        return name is not None and self.fs.size(name) is not None

    def remove(self, args: Args) -> None:
        """`file.remove(name)`."""
        name = self._name(args, 1)
        if name is not None:
            self.fs.remove(name)

    def rename(self, args: Args) -> bool:
        """`file.rename(old, new)`."""
        old, new = self._name(args, 1), self._name(args, 2)
        return old is not None and new is not None and self.fs.rename(old, new)

    def getcontents(self, args: Args) -> bytes | tuple[None] | None:
        """`file.getcontents(name)`; nothing at all without such a file, nil for an empty one."""
        self._unreference()
        opened = self._open(self._name(type(args)((args.get(1),)), 1), b"r")  # lua_settop(L, 1)
        if opened is None:
            return None
        contents = _read(opened.handle, _EVERYTHING, b"")
        opened.close()
        self._unreference()
        return contents

    def putcontents(self, args: Args) -> bool | tuple[None]:
        """`file.putcontents(name, contents)`."""
        self._unreference()
        opened = self._open(self._name(type(args)((args.get(1),)), 1), b"w+")  # lua_settop(L, 2)
        if opened is None or opened.handle is None:
            return (None,)
        data = type(args)((None, args.get(2))).check_string(2)
        written = opened.handle.write(data) == len(data)
        opened.close()
        self._unreference()
        return True if written else (None,)

    def list_files(self, args: Args) -> Result:
        """`file.list([pattern])`; the pattern is matched by the VM's own `string.match`."""
        pattern = None if args.get(1) is None else args.check_string(1)
        claimed = self._claim(_DIR_STRUCT)
        if claimed is None:
            return None
        self.kernel.heap.release(claimed)
        found = self.fs.files()
        if pattern is None:
            return self.kernel.lua.table(dict(found))
        return self._matching(found, pattern)

    def _matching(self, found: list[tuple[bytes, int]], pattern: bytes) -> Result:
        match = self.kernel.lua.library("string.match")
        sizes: dict[bytes, int] = {}
        for name, size in found:
            results = yield Call(match, (name, pattern))
            if results and results[0] is not None:
                sizes[name] = size
        return self.kernel.lua.table(sizes)

    def fsinfo(self, args: Args) -> tuple[int, int, int]:
        """`file.fsinfo()`: remaining, used, total bytes."""
        usage = self.fs.usage()
        if usage is None:
            raise LuaFault("file system failed")
        if usage.used > usage.total:
            raise LuaFault("file system error")
        return usage.total - usage.used, usage.used, usage.total

    def fscfg(self, args: Args) -> tuple[int, int]:
        """`file.fscfg()`: address in flash and size."""
        geometry = self.fs.geometry
        return (0, 0) if geometry is None else (geometry.address, geometry.size)

    def format(self, args: Args) -> None:
        """`file.format()`."""
        self.close(args)
        if not _format(self.kernel, self.fs):
            raise LuaFault("Failed to format file system")
        self.kernel.print(b"format done.\n")

    def stat(self, args: Args) -> Value:
        """`file.stat(name)`; the file system keeps no times."""
        name = args.check_string(1)
        if len(name) > NAME_LENGTH or b"\0" in name:
            raise ArgumentFault(1, "filename invalid")
        path = _path(name)
        size = None if path is None else self.fs.size(path)
        if size is None:
            return (None,)
        midnight = {"year": 1970, "mon": 1, "day": 1, "hour": 0, "min": 0, "sec": 0}
        return self.kernel.lua.table(
            {
                "size": size,
                "name": path,
                "is_dir": False,
                "is_rdonly": False,
                "is_hidden": False,
                "is_sys": False,
                "is_arch": False,
                "time": self.kernel.lua.table(midnight, 6),
            },
            7,
        )

    def on(self, args: Args) -> None:
        """`file.on("rtc", function | nil)`: only FAT file systems, which stock builds lack, would ask for the time."""
        args.check_option(1, ("rtc",), "rtc")
        if args.is_none(2) or args.type_name(2) not in ("function", "nil"):
            raise LuaFault("Callback should be function or nil")

    def _name(self, args: Args, number: int) -> bytes | None:
        """A name argument as the file system knows it; None if it is on another drive."""
        name = args.check_string(number)
        if len(name.rsplit(b"/", 1)[-1]) > NAME_LENGTH or b"\0" in name:
            raise ArgumentFault(number, "filename invalid")
        return _path(name)

    def _open(self, name: bytes | None, mode: bytes) -> FileObject | None:
        self.current = None
        claimed = self._claim(_FILE_STRUCT)
        if claimed is None:
            return None
        handle = None if name is None else self.fs.open(name, mode)
        if handle is None:
            self.kernel.heap.release(claimed)
            return None
        self.current = handle
        self.reference = FileObject(self.kernel, handle, claimed)
        self.kernel.lua.pin(self.reference)
        self.kernel.allocates()
        return self.reference

    def _claim(self, size: int) -> int | None:
        try:
            return self.kernel.heap.claim(size)
        except OutOfHeap:
            return None

    def _unreference(self) -> None:
        if self.reference is not None:
            self.kernel.lua.unpin(self.reference)
            self.reference = None

    def _target(self, args: Args) -> tuple[Handle | None, int]:
        """The file to work on and the position of the next argument; None if nothing was opened."""
        if args.type_name(1) == "userdata":
            target: FileObject = args.check_object(1, FileObject)
            return target.handle, 2
        return self.current, 1

    def _opened(self, args: Args) -> tuple[Handle, int]:
        handle, at = self._target(args)
        if handle is None:
            raise LuaFault("open a file first")
        return handle, at


def _path(name: bytes) -> bytes | None:
    """A name without its drive, or None for another drive than the flash (`myspiffs_realm`)."""
    if not name.startswith(b"/"):
        return name
    if not name.startswith(_DRIVE):
        return None
    rest = name[len(_DRIVE) :]
    return rest[1:] if rest.startswith(b"/") else rest


def _read(handle: Handle | None, count: int, end: bytes) -> bytes | tuple[None]:
    """Up to `count` bytes, or through the byte `end`; nil at the end of the file (`file_g_read`)."""
    if handle is None:
        raise LuaFault("open a file first")
    if count <= 0:
        return b""
    data = handle.read(count)
    if data is None:
        return (None,)
    if end and end in data:
        line = data[: data.index(end) + 1]
        handle.seek(len(line) - len(data), Whence.CURRENT)
        return line
    return data


def _method(name: str) -> Builtin:
    """A method of file objects; the board's module puts its own function of the same name in its place."""

    def method(args: Args) -> Result:
        raise LuaFault(f"{name}: the module file is not there")

    return method


FileObject.TYPE = ObjectType(
    "file.obj",
    {name: _method(name) for name in ("close", "read", "readline", "write", "writeline", "seek", "flush")},
    4,
)


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    file = File(kernel)
    return Module(
        "file",
        {
            "list": file.list_files,
            "open": file.open,
            "close": file.close,
            "write": file.write,
            "writeline": file.writeline,
            "read": file.read,
            "readline": file.readline,
            "format": file.format,
            "fscfg": file.fscfg,
            "remove": file.remove,
            "seek": file.seek,
            "flush": file.flush,
            "rename": file.rename,
            "exists": file.exists,
            "getcontents": file.getcontents,
            "putcontents": file.putcontents,
            "fsinfo": file.fsinfo,
            "on": file.on,
            "stat": file.stat,
        },
        shares=FileObject.TYPE,
    )
