from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.provision.model import SecretSource
from bridge.provision.secret import Secret, fingerprint, new_key, read_secret


def test_a_secret_is_not_shown_and_not_stored() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars} {secret.__slots__}"
    with pytest.raises(TypeError, match="not to be stored"):
        pickle.dumps(secret)


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = SecretSource(env="A_SECRET")
    monkeypatch.setenv("A_SECRET", "hunter2")
    assert read_secret(source, tmp_path, "it").reveal() == "hunter2"
    for value in ("", None):
        monkeypatch.delenv("A_SECRET") if value is None else monkeypatch.setenv("A_SECRET", value)
        with pytest.raises(UsageError, match="it is not in the environment variable A_SECRET"):
            read_secret(source, tmp_path, "it")


def test_from_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    source, path = SecretSource(file="secret"), tmp_path / "secret"
    with pytest.raises(UsageError, match="cannot be read"):
        read_secret(source, tmp_path, "it")
    path.write_text("hunter2\nsecond line\n")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="Others may read .*chmod 600") as caught:
        read_secret(source, tmp_path, "it")
    assert "hunter2" not in str(caught.value)
    path.chmod(0o600)
    assert read_secret(source, tmp_path, "it").reveal() == "hunter2"
    path.write_bytes(b"\xef\xbb\xbfhunter2\r\n")  # as an editor of Windows writes it
    assert read_secret(source, tmp_path, "it").reveal() == "hunter2"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not text"):
        read_secret(source, tmp_path, "it")


def test_from_the_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = SecretSource(keyring="wifi", user="workshop")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match="library keyring is not installed"):
        read_secret(source, tmp_path, "it")
    library = types.ModuleType("keyring")
    entries: dict[tuple[str, str], str] = {("wifi", "workshop"): "hunter2"}
    library.get_password = lambda service, user: entries.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", library)
    assert read_secret(source, tmp_path, "it").reveal() == "hunter2"
    entries.clear()
    with pytest.raises(UsageError, match="keyring's entry wifi, workshop"):
        read_secret(source, tmp_path, "it")

    def broken(service: str, user: str) -> str:
        raise RuntimeError("hunter2")

    library.get_password = broken  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="RuntimeError") as caught:
        read_secret(source, tmp_path, "it")
    assert "hunter2" not in str(caught.value)


def test_fingerprints_tell_secrets_apart_by_a_key() -> None:
    one, other = new_key(), new_key()
    prints = {fingerprint(secret, key) for secret in (None, Secret("a"), Secret("b")) for key in (one, other)}
    assert len(prints) == 6 and all(len(each) == 32 for each in prints)


def test_bytes_that_are_no_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("A_SECRET", "caf\udce9-hunter2")  # what a system makes of Latin-1 in UTF-8's place
    with pytest.raises(UsageError, match="it, in the environment variable A_SECRET, is not text in UTF-8") as caught:
        read_secret(SecretSource(env="A_SECRET"), tmp_path, "it")
    assert "hunter2" not in str(caught.value) and caught.value.__cause__ is None
