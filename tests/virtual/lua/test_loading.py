"""Chunks come in by load, loadstring, loadfile, dofile and require, and behave as on the chip."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.lua.loading import shown_name
from bridge.virtual.modules.file import filesystem
from tests.virtual.bench import Bench


@pytest.fixture(params=["5.1", "5.3"])
def lua(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(lua: str, *lines: str, files: dict[str, bytes] | None = None) -> list[str]:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, modules="file,node,uart")
        fs = filesystem(bench.firmware.system)
        for name, data in (files or {}).items():
            assert fs.write_file(name.encode(), data)
        said = [await bench.answer(line) for line in lines]
        bench.close()
        return said

    return run(main())


def test_strings(lua: str) -> None:
    said = answers(
        lua,
        "=loadstring('return ...')(1,2)",
        "=select(2,loadstring('x ='))",
        "=select(2,loadstring('x =','=name'))",
        "=select(2,loadstring('\\n\\nx =','@file.lua'))",
        "=pcall(loadstring)",
    )
    assert said[0] == "1\t2"
    assert said[1].startswith('[string "x ="]:1: unexpected symbol near ')
    assert said[2].startswith("name:1: ")
    assert said[3].startswith("file.lua:3: ")
    assert said[4].startswith("false\tbad argument #1 to ")


def test_reader_functions(lua: str) -> None:
    said = answers(
        lua,
        "local n=0 f=load(function() n=n+1 return ({'ret','urn 4','2'})[n] end) print(f())",
        "=select(2,load(function() return {} end))",
        "=select(2,load(function() error('reader') end))",
        "=pcall(load,5)",
    )
    assert said[0] == "42"
    assert said[1] == "reader function must return a string"
    assert said[3].startswith("false\tbad argument #1 to ") if lua == "5.1" else True


def test_source_that_comes_in_many_pieces_may_end_anywhere_in_an_expression(lua: str) -> None:
    # Looks at what has come so far find it unfinished at the same place, more than once; the rest is still to be read.
    said = answers(
        lua,
        "n=0 f,m=load(function() n=n+1 return n<2 and 'x=1+' or n<100 and '1+' or n<101 and '1' or nil end)",
        "=f~=nil,m",
    )
    assert said[1] == "true\tnil"


def test_files(lua: str) -> None:
    files = {
        "a.lua": b"#!shebang\nprint(...)\nreturn 'from a'",
        "bad.lua": b"local = 1",
        "raise.lua": b"\nerror('in file')",
    }
    said = answers(
        lua, "=loadfile('a.lua')(7)", "=dofile('a.lua')", "=loadfile('bad.lua')", "dofile('bad.lua')",
        "dofile('raise.lua')", "=loadfile('none.lua')", "dofile()", files=files,
    )  # fmt: skip
    name = "'<name>'" if lua == "5.1" else "<name>"
    assert said[0] == "7\r\nfrom a"
    assert said[1] == "\r\nfrom a"
    assert said[2].startswith(f"nil\tbad.lua:1: {name} expected near ")
    assert said[3].startswith(f"Lua error: \tbad.lua:1: {name} expected near ")
    lines = said[4].split("\r\n")
    assert lines[0] == "Lua error: \traise.lua:2: in file"
    assert lines[3].startswith("\traise.lua:2: in main chunk") and "dofile" in lines[4]
    assert said[5] == "nil\tcannot open none.lua: "
    assert said[6].startswith("Lua error: \tstdin:1: filename is NULL")


def test_require_finds_files_once_and_modules_of_the_firmware(lua: str) -> None:
    files = {"m.lua": b"count = (count or 0) + 1\nreturn {name = ...}", "nothing.lua": b"local x = 1"}
    said = answers(
        lua, "=require('m').name,require('m')==require('m'),count", "=require('nothing'),package.loaded.nothing",
        "=require('uart')==uart", "require('none')",
        "package.preload.p=function(n) return n..'!' end print(require('p'))",
        "=require('string')==string", files=files,
    )  # fmt: skip
    assert said[0] == "m\ttrue\t1"
    assert said[1] == "true\ttrue"
    assert said[2] == "true" and said[5] == "true"
    assert said[3].startswith(
        "Lua error: \tstdin:1: module 'none' not found:\r\n\tno field package.preload['none']\r\n"
        "\tno file 'none.lc'\r\n\tno file 'none.lua'"
    )
    assert said[4] == "p!"


def test_an_error_while_a_module_loads_is_the_programs(lua: str) -> None:
    said = answers(lua, "require('e')", "require('s')", files={"e.lua": b"error('at load')", "s.lua": b"x x"})
    assert said[0].startswith("Lua error: \te.lua:1: at load")
    assert said[1].startswith("Lua error: \terror loading module 's' from file 's.lua':\r\n\ts.lua:1: ")


def test_what_is_too_big_to_compile_is_a_message_as_a_syntax_error_is(lua: str) -> None:
    """The parser is protected (ldo.c `luaD_protectedparser`), so that nothing is raised where a function comes back."""
    big = b"".join(b"function f%d(a,b) return a+b*%d end\n" % (n, n) for n in range(300))
    said = answers(
        lua,
        "=loadfile('big.lua')",
        "=pcall(dofile,'big.lua')",
        "=pcall(require,'big')",
        "=xpcall(function() dofile('big.lua') end, function(m) return 'handled: ' .. m end)",
        "dofile('big.lua')",
        "require('big')",
        "=1",
        files={"big.lua": big},
    )
    assert said[0] == "nil\tnot enough memory"
    assert said[1] == "false\tnot enough memory"
    assert said[2].startswith("false\terror loading module 'big' from file 'big.lua':\r\n\tnot enough memory")
    assert said[3] == "false\thandled: not enough memory"
    assert said[4].startswith("Lua error: \tnot enough memory\r\nstack traceback:\r\n")
    assert "not enough memory\r\nstack traceback:" in said[5]
    assert said[6] == "1"


def test_module_of_51() -> None:
    files = {"old.lua": b"module(..., package.seeall)\nfunction f() return _NAME, print ~= nil end"}
    assert answers("5.1", "require('old')", "=old.f()", "=module", files=files)[1] == "old\ttrue"
    assert answers("5.3", "=module,setfenv,newproxy") == ["nil\tnil\tnil"]


def test_environments_of_53() -> None:
    said = answers("5.3", "=load('return x','=n','t',{x=3})()", "=load('return 1','=n','b')", "=load(5)")
    assert said[0] == "3"
    assert said[1] == "nil\tattempt to load a text chunk (mode is 'b')"


def test_dump_and_load_again(lua: str) -> None:
    said = answers(
        lua,
        "d=string.dump(function(a) return a+1 end) print(loadstring(d)(41),d:byte(1))",
        "=pcall(string.dump,print)",
        "=loadstring(d:sub(1,60))",
    )
    assert said[0] == "42\t27"
    assert said[2].startswith("nil\t") and said[2].endswith("precompiled chunk")


def test_error_texts_have_no_names_of_locals(lua: str) -> None:
    said = answers(lua, "local t=nil t.x=1", "local t=nil function f() t.x=1 end f()", "t=nil t.x=1", "=t.x.y")
    assert said[0].startswith("Lua error: \tstdin:1: attempt to index a nil value\r\n")
    assert "upvalue '?'" in said[1]
    assert "'t'" in said[2]


def test_chunk_names_as_messages_show_them() -> None:
    assert shown_name(b"=stdin") == b"stdin"
    assert shown_name(b"@init.lua") == b"init.lua"
    assert shown_name(b"return 1") == b'[string "return 1"]'
    assert shown_name(b"line one\nline two") == b'[string "line one..."]'
    assert shown_name(b"x" * 80) == b'[string "' + b"x" * 43 + b'..."]'
    assert shown_name(b"@" + b"d" * 80) == b"..." + b"d" * 52
