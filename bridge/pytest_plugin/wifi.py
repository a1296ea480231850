"""Wi-Fi for tests: the network's name and key, from the environment or from a file, and never shown."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest


@dataclass(frozen=True)
class Credentials:
    """A network that the boards may join.

    Attributes:
        ssid: its name.
        password: its key; `repr` does not show it.
    """

    ssid: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return (self.password,) if self.password else ()

    @classmethod
    def found(cls, config: pytest.Config) -> Credentials:
        """Those of the environment (`NODEMCU_WIFI_SSID`, `NODEMCU_WIFI_PASSWORD`)."""
        return cls(os.environ.get("NODEMCU_WIFI_SSID"), os.environ.get("NODEMCU_WIFI_PASSWORD"))
