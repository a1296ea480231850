from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bridge.virtual.chip.image import find_facts, parse


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge.cli", "virtual-image", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_image_is_written_as_asked(tmp_path: Path) -> None:
    out = tmp_path / "firmware.bin"
    done = run("--modules", "tmr,net,node", "--lua", "5.3", "--ssl", "--flash-size", "512KB", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Lua 5.3, modules net, node, tmr; for virtual boards only" in done.stdout
    image, facts = parse(out.read_bytes()), find_facts(out.read_bytes())
    assert image is not None and image.valid and image.size_nibble == 0
    assert facts is not None and facts.ssl and facts.modules == ("net", "node", "tmr") and facts.lua == "5.3"
    assert [path.name for path in tmp_path.iterdir()] == ["firmware.bin"]


def test_wrong_use_is_one_sentence(tmp_path: Path) -> None:
    done = run("--modules", "net,,../x", str(tmp_path / "a.bin"))
    assert done.returncode == 2 and "'../x' is not the name of a module" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = run(str(tmp_path / "no" / "a.bin"))
    assert done.returncode == 2 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
