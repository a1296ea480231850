from __future__ import annotations

import subprocess
import sys


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bridge.ports.esptool_handler", *arguments], capture_output=True, text=True, timeout=60
    )


def test_it_is_esptool() -> None:
    done = run("version")
    assert done.returncode == 0, done.stderr
    assert "esptool" in done.stdout


def test_it_hands_on_the_exit_code_and_uses_our_client() -> None:
    done = run("--port", "rfc2217://127.0.0.1:9", "--connect-attempts", "1", "chip-id")
    assert done.returncode == 2, done.stdout + done.stderr
    # The words of our client; pyserial's own says "Could not open port" differently.
    assert "could not open port rfc2217://127.0.0.1:9: [Errno 111]" in done.stdout + done.stderr
