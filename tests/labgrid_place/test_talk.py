from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from pathlib import Path

import pytest

from bridge.errors import RackError, UsageError
from bridge.labgrid_place.environment import VARIABLE
from bridge.labgrid_place.talk import Talk
from tests.labgrid_place.conftest import PATIENCE
from tests.labgrid_place.laboratory import Laboratory

pytestmark = PATIENCE


def test_a_python_without_labgrid_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A Python with nothing but what comes with it.
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys._base_executable} -I "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(bare))

    async def main() -> None:
        talk = Talk({"do": "list", "env": "127.0.0.1:1"}, 30.0)
        with pytest.raises(RackError, match="Its keeper, .* has ended: .*No module named"):
            await talk.hear()
        talk.end()
        assert talk.judge() is not None

    asyncio.run(main())


def test_what_the_keeper_refuses_is_raised_as_what_it_is(lab: Laboratory, tmp_path: Path) -> None:
    async def main() -> None:
        talk = Talk({"do": "list", "env": str(tmp_path / "none.yaml")}, 30.0)
        with pytest.raises(UsageError, match="none.yaml is no environment file of labgrid"):
            await talk.hear()
        talk.end()
        talk.end()

    asyncio.run(main())


def test_a_process_that_stood_still_finds_out_by_its_own_clock(lab: Laboratory) -> None:
    async def main() -> None:
        talk = Talk({"do": "claim", "env": lab.coordinator, "names": ["shelf"], "timeout": 30.0}, 1.0)
        while "lease" not in await talk.hear():
            pass
        assert talk.judge() is None
        # The keeper stands still, too, and can say nothing; a child wakes this process up again.
        os.kill(talk.pid, signal.SIGSTOP)
        if (child := os.fork()) == 0:
            os.execvp("sh", ["sh", "-c", f"sleep 1.5; kill -CONT {os.getppid()}"])
        os.kill(os.getpid(), signal.SIGSTOP)
        why = talk.judge()
        assert why is not None and "this process stood still for" in why and "1 s are allowed" in why
        os.kill(talk.pid, signal.SIGCONT)
        await asyncio.to_thread(os.waitpid, child, 0)
        await asyncio.to_thread(talk.end)

    asyncio.run(main())


def test_that_the_keeper_has_ended_is_known_to_who_hears_it_out(lab: Laboratory) -> None:
    async def main() -> None:
        talk = Talk({"do": "claim", "env": lab.coordinator, "names": ["shelf"], "timeout": 30.0}, 30.0)
        while "lease" not in await talk.hear():
            pass
        talk.hear_out()
        assert talk.judge() is None, "nothing is there to hear, and nobody waits for it"
        ended = os.pidfd_open(talk.pid)
        os.kill(talk.pid, signal.SIGKILL)
        select.select([ended], [], [])  # the thread that hears the keeper may not know yet
        os.close(ended)
        talk.hear_out()
        assert (talk.loss.why or "").startswith("its keeper, the process that had the place, has ended")
        await asyncio.to_thread(talk.end)
        lab.client("-p", "shelf", "release", "--kick", check=False)

    asyncio.run(main())
