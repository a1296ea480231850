"""The resolver: retries, servers, slots."""

from __future__ import annotations

import random
import weakref
from typing import Any

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.dns import DEFAULT_SERVER, Resolver
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.segment import Datagram
from bridge.virtual.lwip.udp import Udp
from tests.virtual.lwip.bare import FreeMemory

OWN = from_dotted("10.77.0.2")
FIRST, SECOND = from_dotted("10.77.0.1"), from_dotted("10.77.0.3")


class Line:
    """A resolver whose queries end here."""

    def __init__(self) -> None:
        self.sent: list[Datagram] = []
        self.udp = Udp(FreeMemory(), self.sent.append, lambda ip: OWN)
        self.dns = Resolver(self.udp, random.Random(3))
        self.dns.set_server(0, FIRST)
        self.found: list[tuple[bytes, int | None]] = []

    def ask(self, name: bytes) -> int | Err:
        def found(name: bytes, ip: int | None, arg: Any) -> None:
            self.found.append((name, ip))

        return self.dns.resolve(name, found, None)

    def answer(self, datagram: Datagram, *ips: int, code: int = 0) -> None:
        data = dns_message.respond(datagram.data, list(ips), code=code)
        self.udp.input(Datagram(datagram.target, 53, OWN, datagram.source_port, data))


def test_a_name_is_asked_for_and_addresses_are_not() -> None:
    line = Line()
    assert line.ask(b"ok.test") is Err.INPROGRESS
    line.answer(line.sent[0], 5)
    assert line.found == [(b"ok.test", 5)]
    assert line.ask(b"1.2") == from_dotted("1.0.0.2") and len(line.sent) == 1
    assert line.ask(b"") is Err.ARG and line.ask(b"a" * 256) is Err.ARG


def test_retries_at_one_two_and_four_ticks_then_the_second_server_then_failure() -> None:
    line = Line()
    line.dns.set_server(1, SECOND)
    line.ask(b"nx.test")
    seen = []
    for tick in range(1, 20):
        before = len(line.sent)
        more = line.dns.tick()
        seen += [(tick, datagram.target) for datagram in line.sent[before:]]
        if not more:
            break
    assert [tick for tick, target in seen if target == FIRST] == [1, 2, 4]
    assert [tick for tick, target in seen if target == SECOND] == [8, 9, 11]
    assert line.found == [(b"nx.test", None)] and tick == 14


def test_error_answers_are_ignored_and_empty_ones_fail_at_once() -> None:
    line = Line()
    line.ask(b"empty.test")
    line.answer(line.sent[0], code=3)
    assert line.found == []
    line.answer(line.sent[0])
    assert line.found == [(b"empty.test", None)]


def test_an_empty_answer_for_a_short_name_is_too_small_to_be_looked_at() -> None:
    line = Line()
    line.ask(b"nx.test")
    line.answer(line.sent[0])
    assert line.found == []


def test_only_the_answer_to_the_last_query_counts() -> None:
    line = Line()
    line.ask(b"a.test")
    line.ask(b"b.test")
    line.answer(line.sent[0], 1)
    assert line.found == []
    line.answer(line.sent[1], 2)
    assert line.found == [(b"b.test", 2)]


def test_four_slots_of_which_finished_ones_are_used_again() -> None:
    line = Line()
    assert [line.ask(b"n%d" % i) for i in range(4)] == [Err.INPROGRESS] * 4
    assert line.ask(b"n5") is Err.MEM
    line.answer(line.sent[3], 1)
    assert line.ask(b"n5") is Err.INPROGRESS


def test_servers_have_defaults_and_ignore_nonsense() -> None:
    line = Line()
    assert Resolver(line.udp, random.Random(4)).servers[0] == DEFAULT_SERVER
    line.dns.set_server(-1, SECOND)
    line.dns.set_server(2, SECOND)
    assert line.dns.servers == [FIRST, 0] and line.dns.get_server(5) == 0
    assert 4096 <= line.dns.port < 0x7FFF


def test_what_was_asked_with_is_let_go_with_the_answer() -> None:
    """In the chip it is the number of a function of Lua, freed before the answer is told; a slot that kept the function
    itself would keep all that hangs on it from the collector."""

    class Function:
        pass

    line = Line()
    for name, ips in ((b"ok.test", [5]), (b"empty.test", [])):
        function = Function()
        kept = weakref.ref(function)
        line.dns.resolve(name, lambda name, ip, arg: None, function)
        del function
        assert kept() is not None
        line.answer(line.sent[-1], *ips)
        assert kept() is None
