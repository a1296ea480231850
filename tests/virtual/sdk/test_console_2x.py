"""The console of 2.x as app/lua/lua.c and app/modules/uart.c of release 2.2.1 say it behaves."""

from __future__ import annotations

from typing import Any

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


async def boot(**options: Any) -> Bench:
    return await Bench.boot(**{"firmware": "2.2.1", "modules": "node,uart,tmr,file", "echo": False, **options})


def dialogue(*lines: str | bytes, **options: Any) -> list[str]:
    """What the board says to each line, without echo."""

    async def main() -> list[str]:
        bench = await boot(**options)
        said = [await bench.type(line) for line in lines]
        bench.close()
        return said

    return run(main())


def test_it_boots_with_an_empty_line_its_banner_and_the_name_of_the_program() -> None:
    async def main() -> None:
        bench = await boot()
        assert bench.boot_text.startswith("\r\n\r\nNodeMCU ")
        assert bench.boot_text.endswith("\r\nlua: cannot open init.lua\r\n> ")
        bench.close()

    run(main())


def test_an_error_of_init_lua_has_that_name_before_it_too() -> None:
    async def main() -> None:
        bench = await boot()
        await bench.type("f=file.open('init.lua','w') f:write('print(1) x.y=1') f:close()")
        said = await bench.type("node.restart()", idle=1.0)
        assert "\r\n1\r\nlua: init.lua:1: attempt to index global 'x' (a nil value)\r\nstack traceback:\r\n" in said
        assert said.endswith("\r\n\tinit.lua:1: in main chunk\r\n\t[C]: ?\r\n> ")
        bench.close()

    run(main())


def test_results_are_printed_and_chunks_collected_line_by_line() -> None:
    said = dialogue("=1,nil,'x'", "return 2", "do", "print(", "7)", "end", "")
    assert said == ["1\tnil\tx\r\n> ", "2\r\n> ", ">> ", ">> ", ">> ", "7\r\n> ", "> "]


def test_errors_have_no_words_before_them_and_no_frames_below() -> None:
    said = dialogue("x.y=1", "x x", "error({})", "error(nil)", "error(5)")
    assert said[0] == (
        "stdin:1: attempt to index global 'x' (a nil value)\r\nstack traceback:\r\n\tstdin:1: in main chunk\r\n> "
    )
    assert said[1] == "stdin:1: '=' expected near 'x'\r\n> "
    assert said[2:4] == ["(error object is not a string)\r\n> ", "> "]
    assert said[4].startswith("stdin:1: 5\r\nstack traceback:\r\n\t[C]: in function 'error'\r\n\tstdin:1: in main")


def test_a_line_ends_at_its_first_nul() -> None:
    assert dialogue(b"=1\0+1", b"print('a\0b')")[0] == "1\r\n> "
    assert dialogue(b"print('a\0b')", "')")[0] == ">> "


def test_lines_run_one_after_the_other_where_they_are_read_with_their_echo_before_them() -> None:
    async def main() -> None:
        bench = await boot(echo=True)
        await bench.send(b"=1\r=2\rprint(3)\r")
        assert await bench.read() == "=1\r\n1\r\n> =2\r\n2\r\n> print(3)\r\n3\r\n> "
        bench.close()

    run(main())


def test_while_a_line_runs_the_ring_keeps_the_last_256_bytes() -> None:
    async def main() -> None:
        bench = await boot()
        await bench.send(b"tmr.delay(200000)\r" + b"-" * 300 + b"x" * 200 + b"\r=6*7\r")
        said = await bench.read()
        assert said.endswith("42\r\n> ") and bench.statistics.ring_bytes_lost == 300 + 200 + 6 - 256
        bench.close()

    run(main())


def test_the_head_of_a_long_line_is_dropped() -> None:
    assert dialogue("x" * 255 + "=7") == ["7\r\n> "]


def test_cr_and_lf_pair_up_and_bytes_are_rubbed_out() -> None:
    async def main() -> None:
        bench = await boot(echo=True)
        await bench.send(b"=1\r\n=3\x7f2\n\r\r")
        assert await bench.read() == "=1\r\n1\r\n> =3\b \b2\r\n2\r\n> \r\n> "
        bench.close()

    run(main())


def test_raw_data_behind_the_line_that_asks_for_it_is_not_lost() -> None:
    async def main() -> None:
        bench = await boot()
        await bench.send(b"uart.on('data','\\0',function(d) uart.write(0,#d,d) end,0)\rab\0c")
        assert await bench.read() == "> \x03ab\0"
        await bench.send(b"\0")
        assert await bench.read() == "\x02c\0"
        bench.close()

    run(main())


def test_a_length_of_zero_takes_what_is_there() -> None:
    async def main() -> None:
        bench = await boot()
        await bench.type("uart.on('data',0,function(d) uart.write(0,'<'..d..'>') tmr.delay(20000) end,0)")
        await bench.send(b"abcdef")
        assert await bench.read() == "<a><bcdef>"
        bench.close()

    run(main())


def test_a_block_stays_what_it_was_and_the_receiver_may_go_inside_itself() -> None:
    async def main() -> None:
        bench = await boot()
        await bench.type("uart.on('data',3,function(d) uart.on('data') uart.write(0,'<'..d..'>') end,0)")
        await bench.send(b"abc=1\r")
        assert await bench.read() == "<abc>1\r\n> "
        await bench.type("uart.on('data',function(d) uart.write(0,'<'..d..'>') end,0)")
        await bench.send(b"defg")
        assert await bench.read() == "<def>"
        bench.close()

    run(main())


def test_in_line_mode_a_callback_gets_the_line_which_runs_all_the_same() -> None:
    said = dialogue("uart.on('data','$',function(d) print('<'..d..'>') end)", "=1", "uart.on('data')", "=2")
    assert said == ["> ", "<=1>\r\n1\r\n> ", "<uart.on('data')>\r\n> ", "2\r\n> "]


def test_wrong_arguments_of_uart_on() -> None:
    said = dialogue("uart.on('data',256,print)", "uart.on('data','ab',print)", "uart.on('date',print)")
    assert [line.split("\r\n")[0] for line in said] == [
        "stdin:1: wrong arg range", "stdin:1: wrong arg range", "stdin:1: method not supported",
    ]  # fmt: skip


def test_output_goes_piece_by_piece_to_a_function_and_errors_to_the_uart() -> None:
    said = dialogue(
        "node.output(function(s) uart.write(0,'<'..s..'>') end,0)", "print(1,2)", "=3", "x.y=1", "node.output()", "=4"
    )
    assert said[:3] == ["<> >", "<1><\t><2><\n><> >", "<3><\n><> >"]
    assert said[3].startswith("stdin:1: attempt to index global 'x'") and said[3].endswith("main chunk\r\n<> >")
    assert said[4:] == ["> ", "4\r\n> "]


def test_an_error_in_that_function_is_a_panic_where_the_prompt_is_printed() -> None:
    said = dialogue("node.output(function(s) error('no') end)")[0]
    assert said == "> PANIC: unprotected error in call to Lua API (stdin:1: no)\r\n"


def test_node_input_is_one_line_or_nothing() -> None:
    said = dialogue("node.input('=5')", "node.input('=6\\n')", "node.input(('x'):rep(256))", "node.input('do')", "end")
    assert said == ["> 5\r\n> ", "> 6\r\n> ", "> ", "> >> ", "> "]


def test_an_error_in_any_callback_is_a_panic_and_the_watchdog_restarts_the_board() -> None:
    async def main() -> None:
        for line in (
            "node.task.post(function() error('boom') end)",
            "tmr.create():alarm(10,0,function() error('boom') end)",
            "uart.on('data',1,function() error('boom') end,0)",
        ):
            bench = await boot()
            await bench.type(line)
            await bench.send(b"x")
            said = await bench.read(idle=5.0)
            assert not said or said.endswith("> ")
            reason = bench.resets[0]
            assert (reason.raw, reason.extended) == (4, 3)
            bench.close()

    run(main())


def test_functions_and_tables_in_rom_have_types_of_their_own() -> None:
    said = dialogue(
        "=type(node),type(node.task),type(print),type(node.heap),type(pairs),type(_G),type(function() end)",
        "=tostring(node):sub(1,11),tostring(print):sub(1,16),tostring({}):sub(1,8)",
        "for k in pairs(node.task) do print(k) break end",
    )
    assert said[0] == "romtable\tromtable\tlightfunction\tlightfunction\tfunction\ttable\tfunction\r\n> "
    assert said[1] == "romtable: 0\tlightfunction: 0\ttable: 0\r\n> "
    assert said[2] == "post\r\n> "


def test_the_collector_works_as_5_1s_own_until_the_first_prompt() -> None:
    async def main() -> None:
        bench = await boot()
        await bench.type(
            "f=file.open('init.lua','w') f:write('t={} for k=1,50 do t[k]={k} end t=nil x=node.heap()') f:close()"
        )
        await bench.type("node.restart()", idle=1.0)
        assert await bench.type("=node.heap()-x>1000") == "true\r\n> "
        bench.close()

    run(main())


def test_node_info_is_eight_numbers_whatever_it_is_asked() -> None:
    assert dialogue("=select('#',node.info('hw'))", "=node.info('nonsense')")[0] == "8\r\n> "
    assert dialogue("=node.info('sw_version')")[0].startswith("2\t2\t1\t")
