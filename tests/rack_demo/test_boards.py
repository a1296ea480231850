from __future__ import annotations

import os
import signal
import socket
from urllib.parse import urlsplit

import pytest

from bridge.errors import PortBusy
from bridge.rack_demo import boards
from bridge.rack_demo.boards import running_boards


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5).close()
    except OSError:
        return False
    return True


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_boards_answer_each_on_its_own_port_and_end_with_the_block_also_one_that_was_stopped() -> None:
    with running_boards(2) as made:
        assert [board.name for board in made] == ["shelf-1", "shelf-2"]
        assert len({board.mac for board in made}) == len({board.url for board in made}) == 2
        assert all(answers(board.url) for board in made)
        os.kill(made[1].pid, signal.SIGSTOP)
    assert not any(lives(board.pid) for board in made)


def test_a_board_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_QUICK", ("--heap", "1"))
    with pytest.raises(PortBusy, match="did not start .*heap=1 is not what an ESP8266 can have"), running_boards(1):
        pass
