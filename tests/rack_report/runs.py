"""Runs as they are reported, by seed: healthy boards, boards that fail, tests that fail."""

from __future__ import annotations

from random import Random

from bridge.rack_report import Collector, Phase, RackReport

#: 26 November 2026, 09:30 UTC.
BEGAN = 1795685400.0
_FILES = ("test_net_client", "test_net_server", "test_tmr", "test_file", "test_wifi", "test_gpio", "test_tls_socket")
_VERBS = ("opens", "closes", "answers", "is_told", "waits_for", "keeps", "gives_back", "refuses")
_NOUNS = ("a_socket", "the_peer", "its_timer", "every_handle", "what_was_sent", "a_name_nobody_knows", "the_heap")


def made_run(boards: int, tests: int, *, seed: int = 7, ill: bool = True) -> RackReport:
    """A run with as many boards and tests; with `ill` the last board hangs, the one before it restarts once."""
    random = Random(seed)
    collector = Collector(
        BEGAN, title="nodemcu-bridge", host="bench-2", command=["pytest", "-n", str(boards), "--rack", "shelf.yaml"]
    )
    collector.collected = tests
    clocks = {f"shelf-{number}": random.uniform(0.2, 0.6) for number in range(1, boards + 1)}
    names = list(clocks)
    hung: set[str] = set()
    for number in range(tests):
        place = min((name for name in names if name not in hung), key=clocks.__getitem__)
        file = _FILES[number * len(_FILES) // tests]
        nodeid = f"tests/hil/{file}.py::test_{random.choice(_NOUNS)}_{random.choice(_VERBS)}_{number}"
        board = {
            "place": place,
            "port": f"rfc2217://127.0.0.1:{4000 + names.index(place)}",
            "firmware": "NodeMCU 3.0.0",
        }
        board["mac"] = f"5c:cf:7f:5e:00:{names.index(place) + 1:02x}"
        seconds = random.choice((0.2, 0.35, 0.5, 0.8, 1.6)) * random.uniform(0.7, 1.6)
        if ill and boards > 2 and place == names[-1] and number > tests * 0.4:
            hung.add(place)
            _play(collector, nodeid, clocks[place], 12.0, board, random, _HANG)
            clocks[place] += 12.0
            place = min((name for name in names if name not in hung), key=clocks.__getitem__)
            board["place"], board["mac"] = place, f"5c:cf:7f:5e:00:{names.index(place) + 1:02x}"
            board["port"] = f"rfc2217://127.0.0.1:{4000 + names.index(place)}"
        end = None
        if ill and boards > 3 and number == tests // 2:
            end = _RESTART
        elif number % 29 == 17:
            end = _LEAK
        elif number % 43 == 21:
            end = _SKIP
        _play(collector, nodeid, clocks[place], seconds, board, random, end)
        clocks[place] += seconds + random.uniform(0.02, 0.12)
    return collector.report(BEGAN + max(clocks.values()) + 0.4)


_End = dict[str, object]
_HANG: _End = {
    "when": "setup", "outcome": "failed", "charged_to": "board", "state": "quarantined",
    "finding": "The board did not answer for 10 s, and neither a reset nor its power brought it back.",
    "message": "bridge.errors.LinkTimeout: rfc2217://127.0.0.1:4003: no answer for 10 s",
    "console": "\r\n ets Jan  8 2013,rst cause:4, boot mode:(3,7)\r\n\r\nwdt reset\r\n",
}  # fmt: skip
_RESTART: _End = {
    "when": "call", "outcome": "failed", "charged_to": "board", "state": "sick",
    "finding": "The board restarted by itself (hardware watchdog) and no code of the test was the cause.",
    "message": "bridge.errors.BoardReset: the board restarted while the call was under way",
    "console": "\x00\x00\xff{\x1bl\x00\r\n ets Jan  8 2013,rst cause:4, boot mode:(3,6)\r\n\r\n"
    "NodeMCU 3.0.0.0 built on nodemcu-build.com\r\n> \r\n",
}  # fmt: skip
_LEAK: _End = {
    "when": "call", "outcome": "failed", "charged_to": "test",
    "finding": "2 sockets were left open, and 1\u202f184 bytes of heap did not come back.",
    "message": "assert await socket.getpeer() is None\nE   AssertionError: assert ('192.168.4.2', 8080) is None",
    "console": "".join(f"{n:4} net.socket: 0x3fff{n * 24:04x} on('receive') {'.' * (n % 60)}\r\n" for n in range(400)),
}  # fmt: skip
_SKIP: _End = {"when": "setup", "outcome": "skipped", "message": "Skipped: the firmware has no module tls"}


def _play(
    collector: Collector, nodeid: str, at: float, seconds: float, board: _End, random: Random, end: _End | None
) -> None:
    high = 38_000 + random.randrange(900)
    heap: list[tuple[float, int]] = [(0.0, high)]
    for step in range(1, 9):
        heap.append((seconds * step / 9, high - random.randrange(200, 9000)))
    heap.append((seconds, high - (1184 if end is _LEAK else random.choice((0, 0, 0, 24, -16)))))
    shares = {"setup": 0.2, "call": 0.7, "teardown": 0.1}
    for when, share in shares.items():
        ends_here = end is not None and end["when"] == when
        told = dict(board)
        if when == "teardown":
            told["heap"] = heap
        if ends_here and end is not None:
            told |= {key: end[key] for key in ("charged_to", "state", "finding", "console") if key in end}
        if when != "call" or end is None or end["when"] != "setup":
            collector.add(
                Phase(
                    nodeid,
                    when,  # type: ignore[arg-type]
                    end["outcome"] if ends_here and end is not None else "passed",  # type: ignore[arg-type]
                    BEGAN + at,
                    seconds * share,
                    message=end.get("message") if ends_here and end is not None else None,  # type: ignore[arg-type]
                    worker=f"gw{int(str(board['place']).rpartition('-')[2]) - 1}",
                    attached=told,
                )
            )
        at += seconds * share
