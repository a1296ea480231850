"""Runs as they are reported, by seed: healthy boards, boards that fail, tests that fail."""

from __future__ import annotations

from random import Random
from typing import Any

from bridge.rack_report import BoardReport, Collector, Evidence, Phase, RackReport

#: 26 November 2026, 09:30 UTC.
BEGAN = 1795685400.0
_FILES = ("test_net_client", "test_net_server", "test_tmr", "test_file", "test_wifi", "test_gpio", "test_tls_socket")
_VERBS = ("opens", "closes", "answers", "is_told", "waits_for", "keeps", "gives_back", "refuses")
_NOUNS = ("a_socket", "the_peer", "its_timer", "every_handle", "what_was_sent", "a_name_nobody_knows", "the_heap")


def made_run(boards: int, tests: int, *, seed: int = 7, ill: bool = True) -> RackReport:
    """A run with as many boards and tests; with `ill` the last board hangs, the one before it restarts once.

    What is attached to the phases is what the plugin of pytest attaches.
    """
    random = Random(seed)
    collector = Collector(
        BEGAN, title="nodemcu-bridge", host="bench-2", command=["pytest", "-n", str(boards), "--rack", "shelf.yaml"]
    )
    collector.collected = tests
    names = [f"shelf-{number}" for number in range(1, boards + 1)]
    clocks = {name: random.uniform(0.2, 0.6) for name in names}
    hung = False
    for number in range(tests):
        usable = names[:-1] if hung else names
        place = min(usable, key=clocks.__getitem__)
        file = _FILES[number * len(_FILES) // tests]
        test = _Test(f"tests/hil/{file}.py::test_{random.choice(_NOUNS)}_{random.choice(_VERBS)}_{number}", random)
        if ill and boards > 2 and place == names[-1] and number > tests * 0.4:
            hung = True
            place = min(names[:-1], key=clocks.__getitem__)
            clocks[place] = max(
                clocks[place], test.run_again(collector, names[-1], clocks[names[-1]], 4.0, place, _HANG)
            )
        elif ill and boards > 3 and number == tests // 2:
            clocks[place] = test.run_again(collector, place, clocks[place], 2.5, place, _RESTART)
        else:
            seconds = random.choice((0.2, 0.35, 0.5, 0.8, 1.6)) * random.uniform(0.7, 1.6)
            end = _LEAK if number % 29 == 17 else _SKIP if number % 43 == 21 else {}
            clocks[place] = test.run(collector, place, clocks[place], seconds, end)
    if hung:
        seen = [
            Evidence(
                said="Neither a reset nor its power brought it back, three times.", seconds=max(clocks.values()) - 4
            )
        ]
        collector.add_board(BoardReport(place=names[-1], state="quarantined", evidence=seen))
    return collector.report(BEGAN + max(clocks.values()) + 0.4)


def long_run() -> RackReport:
    """A run with names and texts that are as long as they can be."""
    collector = Collector(BEGAN)
    place = "a-place-with-a-very-long-name-in-a-rack-on-the-third-floor-of-the-new-building-1"
    name = f"tests/{'very_long_folder/' * 8}test_x.py::test_{'a_very_long_name_' * 20}[{'x' * 200}]"
    told = {
        "place": place, "port": "rfc2217://[2001:db8::1:2:3:4]:40001", "charged_to": "board",
        "finding": f"left {'w' * 900}", "console": ("\udcff" * 9 + "y" * 300 + "\r\n") * 2000,
    }  # fmt: skip
    collector.add(Phase(name, "call", "failed", BEGAN, 1.0, message="z" * 5000, worker="gw0", attached=told))
    return collector.report(BEGAN + 1.0)


_HANG: dict[str, Any] = {
    "outcome": "rerun",
    "finding": "the board does not answer: no answer within 4 s",
    "message": "bridge.errors.LinkTimeout: rfc2217://127.0.0.1:4003: no answer within 4 s",
    "console": "\r\n ets Jan  8 2013,rst cause:4, boot mode:(3,7)\r\n\r\nwdt reset\r\n",
}
_RESTART: dict[str, Any] = {
    "outcome": "rerun",
    "finding": "the board restarted by itself (hardware watchdog)",
    "message": "bridge.errors.BoardReset: the board restarted while the call was under way",
    "console": "\x00\x00\xff{\x1bl\x00\r\n ets Jan  8 2013,rst cause:4, boot mode:(3,6)\r\n\r\n"
    "NodeMCU 3.0.0.0 built on nodemcu-build.com\r\n> \r\n",
}
_LEAK: dict[str, Any] = {
    "outcome": "failed",
    "charged_to": "test",
    "finding": "left 2 of the board's objects held: <TCPSocket 5>, <TCPSocket 6>",
    "message": "assert await socket.getpeer() is None\nE   AssertionError: assert ('192.168.4.2', 8080) is None",
    "console": "".join(f"{n:4} net.socket: 0x3fff{n * 24:04x} on('receive') {'.' * (n % 60)}\r\n" for n in range(400)),
}
_SKIP: dict[str, Any] = {"outcome": "skipped", "message": "Skipped: the firmware has no module tls"}


class _Test:
    def __init__(self, nodeid: str, random: Random) -> None:
        self._nodeid, self._random = nodeid, random

    def run(self, collector: Collector, place: str, at: float, seconds: float, end: dict[str, Any]) -> float:
        """Report all phases; returns when it is over."""
        told = self._told(place, seconds, end)
        for when, share in {"setup": 0.2, "call": 0.7, "teardown": 0.1}.items():
            here = when == ("setup" if end is _SKIP else "call")
            if when != "call" or end is not _SKIP:
                outcome = end.get("outcome", "passed") if here else "passed"
                self._add(collector, when, outcome, at, seconds * share, told, end.get("message") if here else None)
            at += seconds * share
        return at + self._random.uniform(0.02, 0.12)

    def run_again(
        self, collector: Collector, first: str, at: float, seconds: float, second: str, end: dict[str, Any]
    ) -> float:
        """Report an attempt that counts for nothing, and another that passes."""
        self._add(collector, "call", "rerun", at, seconds, self._told(first, seconds, end), end["message"])
        return self.run(collector, second, at + seconds, 0.7, {"charged_to": "board"})

    def _add(
        self,
        collector: Collector,
        when: str,
        outcome: Any,
        at: float,
        seconds: float,
        told: dict[str, Any],
        why: str | None,
    ) -> None:
        worker = f"gw{int(told['place'].rpartition('-')[2]) - 1}"
        collector.add(
            Phase(self._nodeid, when, outcome, BEGAN + at, seconds, message=why, worker=worker, attached=told)
        )

    def _told(self, place: str, seconds: float, end: dict[str, Any]) -> dict[str, Any]:
        number = int(place.rpartition("-")[2])
        high = 38_000 + self._random.randrange(900)
        heap = [[0.0, high]]
        heap += [[seconds * step / 9, high - self._random.randrange(200, 9000)] for step in range(1, 9)]
        if end not in (_HANG, _RESTART):
            heap.append([seconds, high - (1184 if end is _LEAK else self._random.choice((0, 0, 0, 24, -16)))])
        return {
            "place": place, "port": f"rfc2217://127.0.0.1:{4000 + number}", "mac": f"5c:cf:7f:5e:00:{number:02x}",
            "firmware": "NodeMCU 3.0.0", "heap": heap, "console": end.get("console", ""), "waited": 0.0,
            "finding": end.get("finding"), "charged_to": end.get("charged_to"), "notes": [], "kinds": [], "late": [],
        }  # fmt: skip
