"""A disk that is really full: a small file system of its own, which only root can make."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.rack import Rack, RackFile
from bridge.rack.health import Evidence, failures, quarantined, record_failure
from bridge.rack.model import Place
from tests.cli.invoke import invoke
from tests.rack.claimants import claimant
from tests.rack.witness import witness


class Disk:
    """A small disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave not a byte."""
        with (self.folder / "rest").open("ab", buffering=0) as rest, contextlib.suppress(OSError):
            while rest.write(bytes(4096)):
                pass

    def make_room(self) -> None:
        """As a person does."""
        (self.folder / "rest").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=1777,nr_inodes=64", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no disk of its own can be made here")
    try:
        (folder / "state").mkdir()
        (folder / "state").chmod(0o1777)
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def rack_file(folder: Path, *urls: str) -> Path:
    path = folder / "rack.yaml"
    places = "".join(f"  - {{name: place-{number}, port: '{url}'}}\n" for number, url in enumerate(urls, 1))
    path.write_text(f"version: 1\nstate: disk/state\nplaces:\n{places}")
    return path


def test_claims_go_on_in_turn_and_say_what_cannot_be_written_down(disk: Disk) -> None:
    """Also who has to wait gets his turn, though his ticket finds no room."""
    folder = disk.folder / "state"

    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=folder)
        async with await rack.claim(purpose="before") as lease:
            assert lease.notes == []
        disk.fill()
        lease = await rack.claim(purpose="after")
        assert "board-1" in lease.notes[0] and url in lease.notes[0] and "Make room there" in lease.notes[0]
        found = rack.status().places[0]
        assert found.state == "held" and found.holder is not None
        assert (found.holder.pid, found.holder.purpose) == (None, None), "the holder before is no more"
        with claimant("other", folder, 5, url) as other:
            said = other.ask("claim", 0.3)
            assert said[:2] == ["error", "PlaceBusy"], said
            assert "is held by somebody who is not written down" in " ".join(said)
            other.say("claim", 20)
            await asyncio.sleep(0.2)  # nobody can see that it waits
            await lease.release()
            assert (await asyncio.to_thread(other.hear))[0] == "leased"
            assert (await asyncio.to_thread(other.ask, "release")) == ["released"]

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))


def test_a_sick_place_is_marked_and_the_others_go_on(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    folder = disk.folder / "state"

    async def scenario(url: str) -> None:
        places = [Place(name="gone", port="socket://127.0.0.1:9"), Place(name="there", port=url, tags=["more"])]
        rack = Rack(RackFile(version=1, places=places), folder=folder)
        disk.fill()
        for _ in range(4):
            async with await rack.claim() as lease:
                assert lease.place.name == "there"
        assert rack.status().places[0].state == "quarantined"
        text = caplog.records[0].getMessage()
        assert "gone (socket://127.0.0.1:9)" in text and "Make room there" in text
        assert not [*folder.glob("*.health")] or (next(folder.glob("*.health"))).stat().st_size == 0
        disk.make_room()
        # What could not be written is written with the next event, for all to know.
        record_failure(places[0], Evidence("once more"), folder=folder)
        assert next(folder.glob("*.health")).read_text().count('"failure"') == 4
        assert len(failures(places[0], folder=folder)) == 3

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))


def test_a_heal_that_cannot_be_written_down_is_none(disk: Disk, capfd: pytest.CaptureFixture[str]) -> None:
    file = rack_file(disk.folder.parent, "socket://127.0.0.1:9")
    place = Place(name="place-1", port="socket://127.0.0.1:9")
    for number in range(3):
        record_failure(place, Evidence(f"failure {number}"), folder=disk.folder / "state")
    evidence = next((disk.folder / "state").glob("*.health"))
    disk.fill()
    while True:  # also of the last block that it has
        before = evidence.read_bytes()
        code, out, err = invoke(capfd, "rack", "heal", "place-1", "--rack", str(file))
        if code:
            break
        record_failure(place, Evidence("again" * 100), folder=disk.folder / "state")
    assert out == "" and "place-1: that it is healed cannot be written down in" in err and "Make room there" in err
    assert evidence.read_bytes() == before, "nothing is lost, and no half of a line is left"
    disk.make_room()
    assert invoke(capfd, "rack", "heal", "place-1", "--rack", str(file))[0] == 0
    assert quarantined(place, folder=disk.folder / "state") is None


def test_a_disk_on_which_no_lock_can_be_made_says_place_port_and_remedy(
    disk: Disk, capfd: pytest.CaptureFixture[str]
) -> None:
    file = rack_file(disk.folder.parent, "socket://127.0.0.1:9")
    with contextlib.suppress(OSError):
        for number in range(1000):
            os.mknod(disk.folder / str(number))
    code, _, err = invoke(capfd, "rack", "claim", "--rack", str(file), "--", "true")
    assert code == 1 and err.startswith("nodemcu-bridge: socket://127.0.0.1:9: place-1 cannot be locked in "), err
    assert "No space left on device" in err and "Make room there" in err
