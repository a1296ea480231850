from __future__ import annotations

import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bridge.rack.lines import Lines


@pytest.fixture
def pair() -> Iterator[tuple[Lines, socket.socket]]:
    talk, keeper = socket.socketpair()
    with talk, keeper:
        lines = Lines(talk)
        yield lines, keeper
        lines.close()


def test_whole_lines_are_given_and_the_last_ones_before_the_end(pair: tuple[Lines, socket.socket]) -> None:
    lines, keeper = pair
    keeper.sendall(b"one\ntw")
    assert lines.wait(5) == [b"one"]
    assert lines.wait(0) == []
    keeper.sendall(b"o\nthree\nfo")
    keeper.close()
    assert lines.wait(5) == [b"two", b"three"]
    assert lines.wait(5) is None


def test_rousing_ends_a_wait(pair: tuple[Lines, socket.socket]) -> None:
    lines, _ = pair
    for _ in range(100_000):  # more than there is room for
        lines.rouse()
    assert lines.wait(None) == []


def test_who_hears_out_goes_on_when_what_was_said_is_obeyed(pair: tuple[Lines, socket.socket]) -> None:
    lines, keeper = pair
    obeyed: list[bytes] = []
    slow, hearing = threading.Event(), threading.Event()

    def read() -> None:
        while (said := lines.wait(None)) is not None:
            for line in said:
                hearing.set()
                slow.wait(10)
                obeyed.append(line)

    thread = threading.Thread(target=read)
    thread.start()
    keeper.sendall(b"lost\n")
    hearing.wait(10)  # read already, and not obeyed yet
    threading.Timer(0.05, slow.set).start()
    lines.hear_out(10)
    assert obeyed == [b"lost"]
    keeper.close()
    thread.join(10)
    lines.close()
    lines.close()
    lines.hear_out(10)
    lines.rouse()


def test_a_process_may_have_any_number_of_files_open() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip("this system allows no more than that")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1200, hard))
    try:
        with ExitStack() as many:
            for descriptor in [os.open(os.devnull, os.O_RDONLY) for _ in range(1050)]:
                many.callback(os.close, descriptor)
            talk, keeper = socket.socketpair()
            with talk, keeper:
                lines = Lines(talk)
                keeper.sendall(b"one\n")
                assert lines.wait(5) == [b"one"]
                lines.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_hears_out_goes_on_when_the_end_is_obeyed(pair: tuple[Lines, socket.socket]) -> None:
    lines, keeper = pair
    asked = threading.Thread(target=lines.hear_out, args=(10,))
    asked.start()
    while not lines._asked:  # the thread is about to ask
        pass
    keeper.close()
    assert lines.wait(None) == []
    assert lines.wait(None) is None, "the end is read here, and nobody has been told yet"
    asked.join(0.1)
    assert asked.is_alive()
    lines.close()
    asked.join(10)
    assert not asked.is_alive()
