"""The file module on a board: answers of app/modules/file.c, and what survives a restart."""

from __future__ import annotations

import pytest

from bridge.virtual.chip import layout, rcr
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.clock import run
from tests.virtual.asked import answer, answers, error
from tests.virtual.bench import Bench, formatted_flash


def test_write_and_read() -> None:
    said = answers(
        'file.open("a","w") print(file.write("one\\n"),file.writeline("two"),file.flush()) file.close()',
        'f=file.open("a") print(f:readline(),f:read(2),f:read("o"),f:read(),f:read()) f:close()',
        'f=file.open("a","r+") print(f:seek("end"),f:seek("set",1),f:seek("cur",2),f:seek("set",99),f:seek())',
        "f:close()",
        '=file.getcontents("a"),file.getcontents("missing"),file.exists("a"),file.exists("missing")',
        '=file.putcontents("b","xyz"),file.putcontents("empty",""),file.getcontents("empty")',
        'file.rename("b","c") print(file.rename("b","d"),file.exists("c"),file.remove("c"),file.exists("c"))',
    )
    assert said == [
        "true\ttrue\ttrue",
        "one\r\n\ttw\to\t\r\n\tnil",
        "8\t1\t3\tnil\t8",
        "",
        "one\r\ntwo\r\n\tnil\ttrue\tfalse",
        "true\ttrue\tnil",
        "false\ttrue\tnil\tfalse",
    ]


def test_listing_and_sizes() -> None:
    said = answers(
        'file.putcontents("a.lua","12") file.putcontents("b.txt","") print(file.list()["a.lua"],file.list()["b.txt"])',
        'for k in pairs(file.list("%.lua$")) do print(k) end',
        "=pcall(file.list,'[')",
        '=file.stat("a.lua").size,file.stat("a.lua").time.year,file.stat("a.lua").is_dir,file.stat("x")',
        "=file.fsinfo()",
        "=file.fscfg()",
    )
    assert said[0] == "2\t0"
    assert said[1] == "a.lua"
    assert said[2].startswith("false\tmalformed pattern")
    assert said[3] == "2\t1970\tfalse\tnil"
    remaining, used, total = map(int, said[4].split("\t"))
    assert used == 3 * 251 and remaining + used == total
    address, size = map(int, said[5].split("\t"))
    assert address % 0x2000 == 0 and total == ((size // 8192 - 2) * 31 + 1) * 251


def test_the_current_file() -> None:
    said = answers(
        'f=file.open("a","w") g=file.open("b","w") file.write("to b") f:write("to a") f:close() g:close()',
        '=file.getcontents("a"),file.getcontents("b")',
        'file.open("a") file.close() print(file.read())',
        'print(file.open("missing"),file.close())',
    )
    assert said == ["", "to a\tto b", "nil", "nil"]


def test_methods_are_the_modules_functions() -> None:
    # LROT_FUNCENTRY of file and file_obj in app/modules/file.c name the same functions.
    said = answers(
        'f=file.open("a","w") print(f.write("xyz"),f.flush(),f.read==file.read,f.close())',
        'f=file.open("a") print(f.read(1),f.seek("cur"),f:read(),f.close(),f.__index==getmetatable(f))',
        "=pcall(f.write,f,1)",
        'f=file.open("a") f:__gc() print(pcall(f.read,f)) print(pcall(f.__gc,{}))',
    )
    assert said == [
        "true\ttrue\ttrue",
        "x\t1\tyz\tnil\ttrue",
        "false\topen a file first",
        "false\topen a file first\r\nfalse\tbad argument #1 to '?' (file.obj expected, got table)",
    ]


def test_four_files_may_be_open() -> None:
    said = answer(
        't={} for i=1,5 do t[i]=file.open("f"..i,"w") end print(#t,t[5]) t[1]:close() print(file.open("g","w"))'
    )
    assert said.split("\r\n")[0] == "4\tnil"
    assert said.split("\r\n")[1].startswith("userdata: ")


def test_a_dropped_file_is_closed() -> None:
    said = answers(
        'for i=1,9 do file.open("f"..i,"w") file.write("x") end',
        '=file.getcontents("f3")',
        '=file.getcontents("f8")',
    )
    assert said == ["", "x", "x"]


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_files_survive_a_restart(lua: str) -> None:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, cpu=0.0)
        await bench.answer('file.putcontents("init.lua","print(\'INIT RUN\')")')
        await bench.answer('f=file.open("lost","w") f:write("unflushed")')
        said = await bench.type("node.restart()", idle=1.0)
        kept = await bench.answer('=file.list()["init.lua"],file.list()["lost"]')
        bench.close()
        return [said, kept]

    said, kept = run(main())
    assert said.endswith("\r\nINIT RUN\r\n> ")
    assert kept == "17\t0"


def blank_flash() -> FlashMemory:
    flash = formatted_flash()
    partition = layout.find(rcr.partition_table(flash) or (), layout.PartitionType.SPIFFS0)
    assert partition is not None
    flash.erase(partition.address, partition.size)
    return flash


def test_a_blank_partition_is_formatted_at_boot_and_takes_its_time() -> None:
    async def main() -> tuple[str, str]:
        bench = await Bench.boot(cpu=0.0, flash=blank_flash())
        early = bench.boot_text
        late = await bench.read(idle=60, most=100)
        bench.close()
        return early, late

    early, late = run(main())
    assert early.startswith("Formatting file system. Please wait...\r\n.")
    assert late.lstrip(".").startswith("\r\nNodeMCU ") and late.endswith("\r\n> ")


def test_format() -> None:
    async def main() -> list[str]:
        bench = await Bench.boot(cpu=0.0)
        await bench.answer('file.putcontents("a","1")')
        said = await bench.type("file.format()", idle=5, most=100)
        after = await bench.answer('=file.exists("a"),file.putcontents("b","2")')
        bench.close()
        return [said, after]

    said, after = run(main())
    assert said.endswith("..format done.\r\n> ")
    assert after == "false\ttrue"


def test_a_full_file_system() -> None:
    said = answers(
        "s=('x'):rep(2000) n=0 while file.putcontents('f'..n,s) do n=n+1 if n>=50 then break end end print(n)",
        "=select(1,file.fsinfo())>0",
    )
    assert said == ["50", "true"]


def test_wrong_arguments() -> None:
    long = "x" * 32
    assert error(f'file.open("{long}")') == "bad argument #1 to 'open' (filename invalid)"
    assert error(r'file.open("a\0b")') == "bad argument #1 to 'open' (filename invalid)"
    assert error(f'file.rename("a","{long}")') == "bad argument #2 to 'rename' (filename invalid)"
    assert error("file.read()") == "open a file first"
    assert error('file.write("x")') == "open a file first"
    assert error('file.open("a","w") file.read("ab")') == "wrong arg range"
    assert error('file.open("a","w") file.seek("up")') == "bad argument #1 to 'seek' (invalid option 'up')"
    assert error('f=file.open("a","w") f:write()') == "bad argument #1 to 'write' (string expected, got no value)"
    assert error('file.putcontents("a")') == "bad argument #2 to 'putcontents' (string expected, got nil)"
    assert error("file.on('rtc',5)") == "Callback should be function or nil"
    assert error("file.on('x')") == "bad argument #1 to 'on' (invalid option 'x')"


def test_the_drive_may_be_named() -> None:
    assert answer('=file.putcontents("/FLASH/a","1"),file.getcontents("a"),file.exists("/SD0/a")') == "true\t1\tfalse"
