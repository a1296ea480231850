from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.pytest_plugin.credentials import FILE, PASSWORD, SSID, find_wifi

KEY = "QXZJVWK#hunter"


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (FILE, PASSWORD, SSID):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_names_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_wifi() is None
    monkeypatch.setenv(SSID, "workshop")
    found = find_wifi()
    assert found is not None and (found.ssid, found.password, found.secrets) == ("workshop", None, ())
    monkeypatch.setenv(PASSWORD, KEY)
    found = find_wifi()
    assert found is not None and found.password == KEY.encode() and found.secrets == (KEY,)
    assert KEY not in repr(found) and KEY not in f"{found.password!r} {found.password}"


def test_a_file_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "wifi"
    path.write_text(f"workshop\n{KEY}\n")
    path.chmod(0o600)
    monkeypatch.setenv(FILE, str(path))
    found = find_wifi()
    assert found is not None and (found.ssid, found.password) == ("workshop", KEY.encode())


def test_what_is_wrong_is_said_without_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(PASSWORD, KEY)
    with pytest.raises(UsageError, match=f"{SSID} is not"):
        find_wifi()
    path = tmp_path / "wifi"
    monkeypatch.setenv(FILE, str(path))
    with pytest.raises(UsageError, match="cannot be read"):
        find_wifi()
    path.write_bytes(KEY.encode() + b"\xff")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="Others may read") as caught:
        find_wifi()
    assert caught.value.remedy == f"Run `chmod 600 {path}`."
    path.chmod(0o600)
    with pytest.raises(UsageError, match="not text in UTF-8") as caught:
        find_wifi()
    assert (
        KEY not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__!r}"
        or caught.value.__suppress_context__
    )
    path.write_text("\n")
    with pytest.raises(UsageError, match="no name of a network"):
        find_wifi()
