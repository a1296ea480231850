"""Wi-Fi for tests: the network's name and key, from the environment or from a file, and never shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import UsageError
from bridge.wire.values import Secret

#: Variables of the environment.
SSID, PASSWORD, FILE = "NODEMCU_WIFI_SSID", "NODEMCU_WIFI_PASSWORD", "NODEMCU_WIFI_FILE"
ABSENT = f"No Wi-Fi is known for tests. Set {SSID} and {PASSWORD}, or {FILE}."


@dataclass(frozen=True)
class Wifi:
    """A network that boards may join.

    Attributes:
        ssid: its name.
        password: its key, for `board.wifi.sta.config`; no text shows it. None of an open network.
    """

    ssid: str
    password: Secret | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return () if self.password is None else (self.password.decode(),)


def find_wifi() -> Wifi | None:
    """The network that the environment names, or a file: its first line is the name, the second the key.

    Raises:
        UsageError: the file cannot be read, or others may read it; or there is a key without a name.
    """
    if path := os.environ.get(FILE):
        lines = _lines(Path(path))
        return Wifi(lines[0], Secret(lines[1].encode()) if len(lines) > 1 and lines[1] else None)
    ssid, password = os.environ.get(SSID), os.environ.get(PASSWORD)
    if not ssid:
        if password:
            raise UsageError(f"{PASSWORD} is set, and {SSID} is not", remedy="Set both.")
        return None
    return Wifi(ssid, Secret(password.encode()) if password else None)


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                raise UsageError(
                    f"Others may read {path}, where the key of a Wi-Fi is", remedy=f"Run `chmod 600 {path}`."
                )
            lines = file.read(4096).splitlines()
    except UnicodeDecodeError:
        # Without the cause, which holds what the file does.
        raise UsageError(f"{path}, which {FILE} names, is not text in UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}, which {FILE} names, cannot be read ({error.strerror})") from error
    if not lines or not lines[0]:
        raise UsageError(f"{path}, which {FILE} names, has no name of a network in its first line")
    return lines
