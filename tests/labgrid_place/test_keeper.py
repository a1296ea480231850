from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from typing import Any

import pytest

from bridge.child_python import module_environment
from bridge.labgrid_place.environment import labgrid_python
from tests.labgrid_place.conftest import PATIENCE
from tests.labgrid_place.laboratory import Laboratory, laboratory, listeners

pytestmark = PATIENCE


class Keeper:
    """A keeper whose holder is a test."""

    def __init__(self, **request: Any) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [labgrid_python(), "-P", "-m", "bridge.labgrid_place.keeper", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env=module_environment(),
            )  # fmt: skip
        self.socket = ours
        self.lines = ours.makefile("r")
        self.say(**request)

    def say(self, **message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> Any:
        return json.loads(self.lines.readline())

    def wait(self) -> int:
        """The end of it; its socket must be at its end as well."""
        assert self.lines.read() == ""
        self.lines.close()
        self.socket.close()
        return self.process.wait(20)


def claim(lab: Laboratory, ttl: float) -> tuple[Keeper, Any]:
    keeper = Keeper(do="claim", env=lab.coordinator, names=["shelf"], timeout=30.0, ttl=ttl)
    while "lease" not in (said := keeper.hear()):
        pass
    return keeper, said["lease"]


def holder_of_shelf(lab: Laboratory) -> str:
    return next(line for line in lab.client("-p", "shelf", "show").splitlines() if "acquired:" in line).split()[-1]


def test_it_serves_the_port_on_the_loopback_alone_until_it_is_released(lab: Laboratory) -> None:
    keeper, lease = claim(lab, 30.0)
    assert holder_of_shelf(lab) == lease["name"]
    assert listeners(keeper.process.pid) == {"127.0.0.1"}
    keeper.say(do="release")
    assert keeper.hear() == {"released": True}
    assert keeper.wait() == 0
    assert holder_of_shelf(lab) == "None"


def test_a_holder_that_gives_no_sign_of_life_loses_it(lab: Laboratory) -> None:
    keeper, _ = claim(lab, 1.0)
    assert keeper.hear()["lost"].startswith("its holder was silent for ")
    assert keeper.hear() == {"released": True}
    assert keeper.wait() == 0


def test_one_that_is_told_to_end_gives_the_place_back(lab: Laboratory) -> None:
    keeper, _ = claim(lab, 30.0)
    os.kill(keeper.process.pid, signal.SIGTERM)
    assert keeper.hear() == {"lost": "its keeper was told to end"}
    assert keeper.hear() == {"released": True}
    assert keeper.wait() == 0
    assert holder_of_shelf(lab) == "None"


def test_a_place_that_nobody_knows_is_refused(lab: Laboratory) -> None:
    env = lab.env_file("unknown.yaml", main="nobody-knows")
    keeper = Keeper(do="list", env=str(env))
    said = keeper.hear()
    assert said["refused"] == "NoPlace" and "knows no place nobody-knows" in said["why"]
    assert keeper.wait() == 0


def test_a_holder_that_says_nothing_is_left(lab: Laboratory) -> None:
    keeper = Keeper(do="list", env=lab.coordinator)
    assert [place["name"] for place in keeper.hear()["places"]] == ["desk", "shelf"]
    assert keeper.wait() == 0


def test_when_the_coordinator_goes_the_lease_goes(labgrid: object, tmp_path_factory: pytest.TempPathFactory) -> None:

    with laboratory(tmp_path_factory.mktemp("short")) as lab:
        keeper, _ = claim(lab, 30.0)
        lab.coordinator_process.kill()
        assert "has gone, and knows nothing of it any more" in keeper.hear()["lost"]
        assert keeper.hear() == {"released": True}
        assert keeper.wait() == 0
