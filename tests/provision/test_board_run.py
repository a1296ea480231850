from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.opening import open_board
from bridge.provision.board_run import Waits
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image
from tests.provision.rig import FILES, PASSWORD, QUICK, STARTUP, Shelf, shelf

WANTED = {**FILES, "init.lua": STARTUP}
#: A program that has a port until its standard input ends.
HOLD_PORT = """
import sys
from bridge.ports.lock import hold_port
with hold_port(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
#: Lua that is busy for longer than a look takes, fed so that no watchdog bites.
BUSY = b"for n = 1, 80 do tmr.delay(100000) tmr.wdclr() end\r\n"


async def report_of(boards: Shelf, *arguments: str) -> tuple[int | None, dict[str, Any]]:
    code, out, err = await boards.run("--json", *arguments)
    assert out, err
    return code, json.loads(out)


def test_from_a_bare_chip_to_a_ready_board_and_nothing_the_second_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 2, replace(QUICK, blank=True)) as boards:
            code, done = await report_of(boards)
            assert code == 0, done
            for number, board in enumerate(done["boards"]):
                assert board["changed"] == ["firmware", "wifi", "files", "startup"]
                assert board["files"] == sorted(FILES) + ["init.lua"]
                identity = board["identity"]
                assert identity["mac"] == f"5c:cf:7f:00:00:{number + 1:02x}"
                assert (identity["version"], identity["flash_bytes"]) == ("3.0.0", 4 << 20)
                assert identity["ip"] == boards.boards[number].options.address
                assert board["checks"] == ["node.info: NodeMCU 3.0.0", f"wifi: {identity['ip']}"]
                assert await boards.contents(number) == WANTED
            before = [board.flash.read(0, board.flash.size) for board in boards.boards]
            code, again = await report_of(boards)
            assert code == 0 and again["ready"]
            assert [(board["changed"], board["verified"]) for board in again["boards"]] == [([], False)] * 2
            code, verified = await report_of(boards, "--verify")
            assert code == 0
            assert [(board["changed"], board["verified"]) for board in verified["boards"]] == [([], True)] * 2
            assert [board.flash.read(0, 1 << 20) for board in boards.boards] == [data[: 1 << 20] for data in before]

    asyncio.run(scenario())


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            assert (await report_of(boards))[0] == 0
            async with open_board(boards.servers[0].url) as board:
                await board.file.remove("main.lua")
                await board.file.putcontents("mine.txt", "stays")
            _, done = await report_of(boards)
            (first,) = done["boards"]
            assert (first["changed"], first["files"]) == (["files"], ["main.lua"])
            assert await boards.contents(0) == {**WANTED, "mine.txt": b"stays"}
            # Another startup script, and then another firmware with the same layout.
            (tmp_path / "init.lua").write_bytes(b"print('second')\n")
            _, done = await report_of(boards)
            assert done["boards"][0]["changed"] == ["startup"]
            (tmp_path / "firmware.bin").write_bytes(image("adc,file,gpio,net,node,tmr,uart,wifi"))
            _, done = await report_of(boards)
            (first,) = done["boards"]
            assert (first["changed"], first["files_lost"], first["error"]) == (["firmware"], False, None)
            assert (await boards.contents(0))["mine.txt"] == b"stays"

    asyncio.run(scenario())


def test_a_board_that_was_made_ready_elsewhere_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            assert (await report_of(boards))[0] == 0
            (record,) = (tmp_path / "state" / "nodemcu-bridge" / "boards").glob("*.json")
            record.unlink()
            _, done = await report_of(boards)
            assert (done["ready"], done["boards"][0]["changed"]) == (True, [])

    asyncio.run(scenario())


def test_a_file_that_rotted_is_found_by_verify(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            assert (await report_of(boards))[0] == 0
            async with open_board(boards.servers[0].url) as board:
                await board.file.putcontents("main.lua", FILES["main.lua"][::-1])
            assert (await report_of(boards))[1]["boards"][0]["changed"] == []
            assert (await report_of(boards, "--verify"))[1]["boards"][0]["files"] == ["main.lua"]
            assert await boards.contents(0) == WANTED

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("air", "words"),
    [("workshop:another-password", "does not take the password"), ("elsewhere:x", "is not in the air")],
)
def test_a_wrong_password_is_told_from_an_absent_network(tmp_path: Path, air: str, words: str) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1, replace(QUICK, wifi=air)) as boards:
            code, done = await report_of(boards)
            (board,) = done["boards"]
            assert code == 1 and not board["ready"]
            assert words in board["error"] and PASSWORD not in json.dumps(done)

    asyncio.run(scenario())


def test_the_board_reaches_a_host_or_says_why_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
            tcp_port = server.sockets[0].getsockname()[1]
            boards.write(extra=f"checks: {{connect: [{{host: 127.0.0.1, tcp_port: {tcp_port}}}]}}")
            code, done = await report_of(boards)
            assert code == 0 and f"connect: 127.0.0.1:{tcp_port}" in done["boards"][0]["checks"]
            server.close()
            await server.wait_closed()
            boards.write(extra=f"checks: {{connect: [{{host: 127.0.0.1, tcp_port: {tcp_port}, seconds: 9}}]}}")
            code, done = await report_of(boards)
            assert code == 1 and f"127.0.0.1:{tcp_port} could not be reached" in done["boards"][0]["error"]

    asyncio.run(scenario())


def test_one_board_that_fails_holds_up_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 2) as boards:
            boards.boards[0].unplug()
            code, done = await report_of(boards)
            assert code == 1
            assert [board["ready"] for board in done["boards"]] == [False, True]
            boards.boards[0].plug()
            code, done = await report_of(boards)
            assert code == 0 and done["boards"][1]["changed"] == []

    asyncio.run(scenario())


def test_another_board_than_the_file_says_is_left_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        for blank in (False, True):
            async with shelf(tmp_path, 1, replace(QUICK, blank=blank)) as boards:
                text = boards.file.read_text().replace("name: b1, ", 'name: b1, mac: "5c:cf:7f:99:99:99", ')
                boards.file.write_text(text)
                before = boards.boards[0].flash.read(0, 1 << 20)
                code, done = await report_of(boards)
                assert code == 1 and "has the MAC address 5c:cf:7f:00:00:01" in done["boards"][0]["error"]
                assert boards.boards[0].flash.read(0, 1 << 20) == before

    asyncio.run(scenario())


def test_a_board_whose_own_program_holds_the_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_WIFI", PASSWORD)

    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            async with open_board(boards.servers[0].url) as board:
                await board.file.putcontents("init.lua", "uart.on('data', 0, function() end, 0)")
            boards.boards[0].reset()
            done, _ = await boards.run_here(Waits(prompt=2.0))
            assert done.error is not None and "its init.lua may hold it" in done.error
            boards.write(extra="erase: true")
            done, told = await boards.run_here(SILENT)
            assert (done.error, done.files_lost) == (None, True), done
            assert "resetting: its prompt does not answer" in told
            assert await boards.contents(0) == WANTED

    asyncio.run(scenario())


def test_what_a_board_prints_of_its_network_is_not_cited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_WIFI", PASSWORD)
    program = f"tmr.create():alarm(100, 1, function() print('joins by {PASSWORD}') end)"

    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            boards.file.write_text(boards.file.read_text().replace("image: firmware.bin\n", ""))
            async with open_board(boards.servers[0].url) as board:
                await board.file.putcontents("init.lua", f"{program} uart.on('data', 0, function() end, 0)")
            boards.boards[0].reset()
            done, told = await boards.run_here(Waits())
            assert done.error is not None and "oins by ****" in done.error, done
            assert not any(part in text for text in (done.error, *told) for part in (PASSWORD, PASSWORD[:8]))

    asyncio.run(scenario())


def test_an_lfs_image_for_a_firmware_without_lfs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            (tmp_path / "lfs.img").write_bytes(b"\x1bLua no image")
            boards.write(extra="lfs: lfs.img")
            code, done = await report_of(boards)
            assert code == 1 and "does not take the LFS image: No LFS partition allocated" in done["boards"][0]["error"]
            assert "lfs.img" not in await boards.contents(0)

    asyncio.run(scenario())


def test_a_full_file_system_is_said_before_the_file_is_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            async with open_board(boards.servers[0].url) as board:
                await board.files.put("main.lua", b"old")
            (tmp_path / "files" / "huge.bin").write_bytes(bytes(1 << 20))
            (tmp_path / "files" / "more.bin").write_bytes(bytes(3 << 20))
            code, done = await report_of(boards)
            assert (await boards.contents(0))["main.lua"] == b"old"
            assert code == 1 and "more.bin" in done["boards"][0]["error"] and "room" in done["boards"][0]["error"]

    asyncio.run(scenario())


def test_a_busy_board_is_not_erased(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1, replace(QUICK, baud_pacing=True)) as boards:
            boards.write(extra="erase: true")
            assert (await report_of(boards))[0] == 0
            async with open_board(boards.servers[0].url) as board:
                await board.file.putcontents("mine.txt", "stays")
            process = await boards.start("--json")
            assert process.stderr is not None and b"looking" in await process.stderr.readline()
            boards.boards[0].host_write(BUSY)
            out, _ = await process.communicate()
            (done,) = json.loads(out)["boards"]
            assert (process.returncode, done["changed"], done["files_lost"]) == (0, [], False), done
            assert (await boards.contents(0))["mine.txt"] == b"stays"

    asyncio.run(scenario())


RESTARTS = "tmr.create():alarm(50, 0, function() node.restart() end)"
HOLDS = "uart.on('data', 0, function() end, 0)"
#: For boards that have no prompt in any time (`test_first_look` has the real waits, on the virtual clock); those that
#: come up have theirs.
SILENT = Waits(ask=2.0, after_reset=2.0)


@pytest.mark.parametrize(
    ("script", "erased"),
    # One that has a prompt for moments takes all of the real waits to be told: see `test_first_look`.
    [
        (RESTARTS, False),
        pytest.param("node.restart()", True, marks=pytest.mark.nightly),
        pytest.param(HOLDS, True, marks=pytest.mark.nightly),
    ],
)
def test_a_startup_script_that_keeps_everybody_out_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, erased: bool
) -> None:
    monkeypatch.setenv("TEST_WIFI", PASSWORD)

    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            (tmp_path / "init.lua").write_text(script)
            done, told = await boards.run_here(Waits(restart=6.0))
            assert done.error is not None and "does not come back with init.lua as its init.lua" in done.error, done
            for words in ("`erase: true`", "erases the whole flash", "flash --erase"):
                assert words in done.error
            assert told.count("looking") == 1 and not any(stage.startswith("once more") for stage in told), told
            # The script is corrected, and the board still runs the old one: the same words.
            (tmp_path / "init.lua").write_bytes(STARTUP)
            done, told = await boards.run_here(Waits(prompt=4.0))
            assert done.error is not None and "`erase: true`" in done.error and "erases the whole flash" in done.error
            assert told.count("looking") == 1 and not any(stage.startswith("once more") for stage in told), told
            if not erased:
                return
            boards.write(extra="erase: true")
            done, _ = await boards.run_here(SILENT)
            assert (done.error, done.files_lost) == (None, True), done
            assert await boards.contents(0) == WANTED

    asyncio.run(scenario())


def record_of(boards: Shelf) -> Path:
    (path,) = (boards.folder / "state" / "nodemcu-bridge" / "boards").glob("*.json")
    return path


@pytest.mark.nightly
def test_an_lfs_image_that_is_gone_is_taken_over_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            (tmp_path / "lfs.img").write_bytes(b"\x1bLua no image")
            boards.write(extra="lfs: lfs.img")
            await report_of(boards)
            # As after a run on a board that took it over, whose LFS is empty now. This board has no LFS at all, so that
            # an attempt is told by its refusal.
            path = record_of(boards)
            known = json.loads(path.read_text())
            taken = known | {"lfs": hashlib.sha256(b"\x1bLua no image").hexdigest()}
            path.write_text(json.dumps(taken | {"lfs_time": 1_700_000_000}))
            _, done = await report_of(boards)
            assert "does not take the LFS image" in (done["boards"][0]["error"] or ""), done
            # One whose firmware does not tell: --verify asks.
            path.write_text(json.dumps(taken | {"lfs_time": None}))
            _, done = await report_of(boards)
            assert done["boards"][0]["error"] is None
            path.write_text(json.dumps(taken | {"lfs_time": None}))
            _, done = await report_of(boards, "--verify")
            assert "does not take the LFS image" in (done["boards"][0]["error"] or "")
            # Another firmware was written since.
            path.write_text(json.dumps(taken | {"lfs_time": None}))
            (tmp_path / "firmware.bin").write_bytes(image("adc,file,gpio,net,node,tmr,uart,wifi"))
            _, done = await report_of(boards)
            assert "does not take the LFS image" in (done["boards"][0]["error"] or "")
            assert done["boards"][0]["changed"] == ["firmware"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("air", "words"),
    [
        ("workshop:another-password", "does not take the password"),
        pytest.param("elsewhere:x", "is not in the air", marks=pytest.mark.nightly),
    ],
)
def test_a_network_that_no_longer_takes_a_finished_board_is_told_why(tmp_path: Path, air: str, words: str) -> None:
    async def scenario() -> None:
        flash = str(tmp_path / "flash")
        async with shelf(tmp_path, 1, replace(QUICK, flash_file=flash)) as boards:
            assert (await report_of(boards))[0] == 0
        async with shelf(tmp_path, 1, replace(QUICK, flash_file=flash, wifi=air)) as boards:
            code, out, err = await boards.run()
            assert code == 1 and words in out and PASSWORD not in out
            assert "once more" not in err

    asyncio.run(scenario())


def test_a_board_for_another_place(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1, replace(QUICK, wifi="elsewhere:x")) as boards:
            boards.write(extra="checks: {address: false, node_info: false}")
            code, done = await report_of(boards)
            (first,) = done["boards"]
            assert (code, first["error"], first["checks"]) == (0, None, []), first
            assert "wifi" in first["changed"]
            assert (await report_of(boards))[1]["boards"][0]["changed"] == []
            async with open_board(boards.servers[0].url) as board:
                there = await board.wifi.sta.getdefaultconfig(True)
                assert (there.ssid, there.pwd) == ("workshop", PASSWORD)

    asyncio.run(scenario())


async def running(boards: Shelf) -> Any:
    """What the script that runs has said of itself."""
    async with open_board(boards.servers[0].url) as board:
        return await board.eval("version")


def test_what_was_changed_runs_afterwards(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            (tmp_path / "init.lua").write_text("version = dofile('blink.lua')")
            (tmp_path / "files" / "blink.lua").write_text("return 'first'")
            assert (await report_of(boards))[0] == 0
            assert await running(boards) == b"first"
            (tmp_path / "files" / "blink.lua").write_text("return 'second'")
            _, done = await report_of(boards)
            assert done["boards"][0]["changed"] == ["files"]
            assert await running(boards) == b"second"
            assert (await report_of(boards))[1]["boards"][0]["changed"] == []
            # Cut off between the last file and the restart.
            async with open_board(boards.servers[0].url) as board:
                await board.exec("version = 'old'")
            path = record_of(boards)
            path.write_text(json.dumps(json.loads(path.read_text()) | {"restart": True, "ready": None}))
            code, out, err = await boards.run()
            assert code == 0 and "restarting" in err
            assert await running(boards) == b"second"
            code, out, err = await boards.run()
            assert code == 0 and "restarting" not in err

    asyncio.run(scenario())


def test_a_port_that_another_program_is_about_to_give_back_is_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            assert (await report_of(boards))[0] == 0
            held = await asyncio.create_subprocess_exec(
                sys.executable, "-c", HOLD_PORT, boards.servers[0].url,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert held.stdout is not None
            assert await held.stdout.readline() == b"held\n"
            process = await boards.start()
            assert process.stderr is not None
            line = await process.stderr.readline()
            assert line.startswith(b"b1: waiting: ") and b"in use by" in line
            await held.communicate(b"")
            out, err = await process.communicate()
            assert (process.returncode, err.count(b"waiting")) == (0, 0), (out, err)

    asyncio.run(scenario())


def test_a_port_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            assert (await report_of(boards))[0] == 0
            tcp_port = int(boards.servers[0].url.rpartition(":")[2])
            await boards.servers[0].close()
            process = await boards.start()
            assert process.stderr is not None
            assert (await process.stderr.readline()).startswith(b"b1: waiting: Nobody listens")
            boards.servers[0] = await serve_rfc2217(boards.boards[0], port=tcp_port)
            out, _ = await process.communicate()
            assert process.returncode == 0, out

    asyncio.run(scenario())


def test_what_to_press_is_said_before_it_is_to_be_pressed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            boards.file.write_text(boards.file.read_text().replace("profile: virtual", "profile: esp-12e-bare"))
            process = await boards.start("--verify")
            assert process.stderr is not None
            lines = [await process.stderr.readline() for _ in range(3)]
            process.kill()
            await process.communicate()
            assert b"looking" in lines[0] and b"Connect GPIO0 to GND" in lines[1], lines
            assert b"connecting to the ROM loader; Connect GPIO0 to GND" in lines[2], lines

    asyncio.run(scenario())


#: So many modules that the file system begins elsewhere.
MANY = (
    "adc,ads1115,apa102,bit,bloom,bme280,bme680,coap,color_utils,cron,crypto,dht,encoder,file,gpio,hx711,http,i2c,mdns,"
    "mqtt,net,node,ow,pcm,perf,pipe,pixbuf,rtctime,sjson,sntp,spi,struct,tmr,tls,u8g2,uart,ucg,websocket,wifi,ws2812"
)


def test_files_that_would_be_lost_are_told_with_what_the_file_can_say(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            (tmp_path / "firmware.bin").write_bytes(image(MANY))
            code, done = await report_of(boards)
            (board,) = done["boards"]
            assert code == 1 and "would be lost" in board["error"] and board["changed"] == []
            assert "`lose_files: true`" in board["error"] and "--lose-files" not in board["error"]

    asyncio.run(scenario())


def test_a_firmware_whose_writing_was_cut_off_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            assert (await report_of(boards))[0] == 0
            assert json.loads(record_of(boards).read_text())["image"] is not None
            (tmp_path / "firmware.bin").write_bytes(image("adc,file,gpio,net,node,tmr,uart,wifi"))
            process = await boards.start()
            assert process.stderr is not None
            while b"writing" not in (line := await process.stderr.readline()):
                assert line
            # All but told by the next line: what is written is another one.
            while b"verifying" not in line and b"resetting" not in line:
                line = await process.stderr.readline()
                assert line
            process.kill()
            await process.communicate()
            assert json.loads(record_of(boards).read_text())["image"] is None

    asyncio.run(scenario())


def test_a_board_that_cannot_say_what_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            async with open_board(boards.servers[0].url) as board:
                await board.file.putcontents("init.lua", "wifi = {}")
            boards.boards[0].reset()
            code, done = await report_of(boards)
            error = done["boards"][0]["error"]
            assert code == 1 and "The board cannot say what it is: " in error and "init.lua may hide" in error

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        pytest.param(
            "firmware: writing",
            "went away while flashing. Plug the board in and run the same command again",
            marks=pytest.mark.nightly,
        ),
        ("file main.lua", "No file is half written"),
    ],
)
def test_a_board_that_goes_away_and_stays_away_is_told_with_what_is_to_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, words: str
) -> None:
    monkeypatch.setenv("TEST_WIFI", PASSWORD)

    async def scenario() -> None:
        async with shelf(tmp_path, 1, replace(QUICK, blank=True)) as boards:
            (tmp_path / "files" / "main.lua").write_bytes(bytes(100_000))
            done, told = await boards.run_here(Waits(port=1.0), {stage: boards.boards[0].unplug})
            assert any(each.startswith("once more") for each in told)
            assert done.error is not None and words in done.error, done
            boards.boards[0].plug()
            done, _ = await boards.run_here(Waits())
            assert done.error is None
            assert await boards.contents(0) == WANTED | {"main.lua": bytes(100_000)}

    asyncio.run(scenario())


def test_the_clock_of_the_cpu_is_that_of_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_WIFI", PASSWORD)
    watch = "most = 0 tmr.create():alarm(10, 1, function() most = math.max(most, node.getcpufreq()) end)"

    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            own = "name: own\ndescription: slow\ncpu_mhz: 80\nbauds: [115200]\nflash: {size: 4194304, baud: 921600}\n"
            (tmp_path / "own.yaml").write_text(own)
            boards.file.write_text(boards.file.read_text().replace("profile: virtual", "profile: own.yaml"))
            done, _ = await boards.run_here(Waits())
            assert done.error is None, done
            async with open_board(boards.servers[0].url, mhz=80) as board:
                await board.exec(watch)
                await board.file.remove("main.lua")
            (tmp_path / "init.lua").unlink()
            boards.file.write_text(boards.file.read_text().replace("startup: init.lua", ""))
            done, _ = await boards.run_here(Waits())
            assert (done.error, done.files) == (None, ["main.lua"])
            async with open_board(boards.servers[0].url, mhz=80) as board:
                assert await board.eval("most") == 80

    asyncio.run(scenario())
