from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ImageError, ProfileError, UsageError
from bridge.provision.load import load_shelf
from bridge.provision.plan import BoardPlan, Place
from tests.images import image

KEY = b"k" * 32


def load(folder: Path, text: str, *only: str) -> list[BoardPlan]:
    (folder / "shelf.yaml").write_text(text)
    return load_shelf(folder / "shelf.yaml", KEY, only)


def test_everything_is_read_and_a_boards_own_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2hunter2")
    (tmp_path / "fw.bin").write_bytes(image())
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("page")
    (tmp_path / "www" / "init.lua").write_text("start()")
    (tmp_path / "extra").write_text("extra")
    one, two = load(
        tmp_path,
        """
profile: virtual
image: fw.bin
folder: www
wifi: {ssid: workshop, password: {env: PASSWORD}}
checks: {connect: [{host: 10.0.0.1, tcp_port: 80}]}
boards:
  - {name: one, port: "rfc2217://127.0.0.1:1"}
  - name: two
    usb_path: 1-1
    mac: "5c:cf:7f:00:00:01"
    profile: wemos-d1-mini
    files: {x.txt: extra}
    wifi: {ssid: open}
    checks: {address: false}
""",
    )
    assert (one.files, one.startup) == ({"index.html": b"page"}, b"start()")
    assert one.wifi is not None and one.wifi.password is not None and one.wifi.password.reveal() == "hunter2hunter2"
    assert one.facts is not None and "net" in one.facts.modules and one.image_hash is not None
    assert one.profile is not None and one.profile.name == "virtual" and one.needs_address
    assert two.files == {"index.html": b"page", "x.txt": b"extra"}
    assert two.wifi is not None and two.wifi.password is None and two.wifi.mark != one.wifi.mark
    assert (two.mac, str(two.place), two.needs_address) == ("5c:cf:7f:00:00:01", "1-1", False)
    assert two.image is one.image


BOARD = "boards:\n  - {name: a, port: x}\n"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("image: none.bin\n", ImageError, "none.bin cannot be read"),
        ("image: text\n", ImageError, "not an image for ESP8266"),
        ("image: small.bin\n", ImageError, "lacks the module"),
        ("files: {a: none}\n", UsageError, "none"),
        ("files: {'': text}\n", ProfileError, "files"),
        ("files: {12345678901234567890123456789012: text}\n", ProfileError, "files"),
        ("files: {n2345678901234567890123456789012: text}\n", UsageError, "31"),
        ("files: {init.lua: text}\nstartup: text\n", UsageError, "init.lua is among the files"),
        ("files: {lfs.img: text}\nlfs: text\n", UsageError, "name of the LFS image"),
        ("erase: true\n", ProfileError, "erase is about writing the firmware, and no board has an image"),
        ("lose_files: true\n", ProfileError, "lose_files is about writing"),
        ("baud: 460800\n", ProfileError, "baud is about writing"),
        ("folder: none\n", UsageError, "none"),
        ("profile: none\n", ProfileError, "There is no profile none"),
        ("wifi: {ssid: x, password: {env: NO_SUCH}}\n", UsageError, "the password of x is not in"),
        ("wifi: {ssid: x, password: {env: LONG}}\n", UsageError, "longer than 64 bytes"),
        ("wifi: {ssid: '" + "\u00e4" * 20 + "'}\n", UsageError, "longer than 32 bytes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_before_a_board_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[Exception], words: str
) -> None:
    monkeypatch.setenv("LONG", "x" * 65)
    (tmp_path / "text").write_text("no image\n")
    (tmp_path / "small.bin").write_bytes(image("net,node,tmr,uart"))
    with pytest.raises(kind, match=words):
        load(tmp_path, text + BOARD)


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("http://x", "a: http://x is not a kind of port"),
        ("virtual:?colour=red", "a: .*colour is not an option of a virtual board"),
        ("virtual", "a: virtual is no port"),
        ("rfc2217://host", "a: rfc2217://host does not name a host and a TCP port"),
        ("socket://localhost:4219", "a and b are on one port"),
    ],
)  # fmt: skip
def test_ports_are_looked_at_before_any_is_opened(tmp_path: Path, port: str, words: str) -> None:
    boards = f'boards:\n  - {{name: a, port: "{port}"}}\n  - {{name: b, port: "rfc2217://127.0.0.1:4219"}}\n'
    with pytest.raises(ProfileError, match=words):
        load(tmp_path, boards)


def test_what_is_about_the_firmware_needs_one(tmp_path: Path) -> None:
    (tmp_path / "fw.bin").write_bytes(image())
    one = "boards:\n  - {name: a, port: x, image: fw.bin}\n"
    with pytest.raises(UsageError, match="b: erase is about writing the firmware, and there is no image"):
        load(tmp_path, one + "  - {name: b, port: y, erase: true}\n")
    plans = load(tmp_path, "erase: true\n" + one + "  - {name: b, port: y}\n")
    assert [plan.erase for plan in plans] == [True, True]


def test_some_of_the_boards(tmp_path: Path) -> None:
    text = "boards:\n  - {name: a, port: x}\n  - {name: b, port: y}\n"
    (plan,) = load(tmp_path, text, "b")
    # Where the others are is known all the same, so that nobody looks for this one there.
    assert (plan.name, plan.elsewhere) == ("b", (Place(port="x"),))
    with pytest.raises(UsageError, match="has no board c. It has a, b"):
        load(tmp_path, text, "c")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_shelf(tmp_path / "none.yaml", KEY)


def test_where_the_startup_script_is(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    for name in ("www/init.lua", "start.lua"):
        (tmp_path / name).write_text("start()")
    board = "boards: [{name: one, port: x}]"
    for text, where in (
        ("startup: start.lua", "start.lua"),
        ("files: {init.lua: start.lua}", "start.lua"),
        ("folder: www", "www/init.lua"),
    ):
        (plan,) = load(tmp_path, f"{text}\n{board}")
        assert (plan.startup, plan.startup_from) == (b"start()", where)
