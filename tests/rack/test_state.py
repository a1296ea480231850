from __future__ import annotations

from pathlib import Path

from bridge.ports.lock import lock_folder
from bridge.rack.model import Place
from bridge.rack.state import board_key, port_lock, state_folder


def test_a_board_is_called_by_its_mac_and_else_by_its_port() -> None:
    by_mac = Place(name="a", port="socket://h:1", mac="5c:cf:7f:00:00:01")
    assert board_key(by_mac) == board_key(Place(name="b", mac="5c:cf:7f:00:00:01"))
    by_port = [Place(name="a", port=url) for url in ("socket://localhost:1", "rfc2217://127.0.0.1:1")]
    assert len({board_key(place) for place in by_port}) == 1
    assert "/" not in board_key(Place(name="a", usb_path="1-1/2"))


def test_a_port_has_the_lock_that_other_commands_ask_for() -> None:
    found = port_lock("rfc2217://127.0.0.1:5")
    assert found == (str(lock_folder()), "tcp%20127.0.0.1%205")
    assert port_lock("virtual:") is None
    assert state_folder().parent == lock_folder().parent


def test_a_board_on_a_link_to_its_port_is_called_the_same_whether_it_is_there_or_not(tmp_path: Path) -> None:
    """As those below /dev/serial/by-id: what is known of a place that was absent counts when it is back."""
    link = tmp_path / "by-id"
    place = Place(name="a", port=str(link))
    absent = board_key(place)
    link.symlink_to("/dev/null")
    assert board_key(place) == absent
    link.unlink()
    link.symlink_to("/dev/zero")
    assert board_key(place) == absent
    assert port_lock(str(link)) == port_lock("/dev/zero")


def test_no_password_stands_in_the_name_of_a_file() -> None:
    """All users can read the names of files."""
    assert "hunter22" not in board_key(Place(name="a", port="virtual:?wifi=home:hunter22"))
