"""Runs esptool with our RFC 2217 client in place of pyserial's: `python -m bridge.ports.esptool_handler …`.

Always a process of its own: esptool is under the GPL, keeps one logger per process, and is ended by ending it.
"""

from __future__ import annotations

import runpy
import sys

import serial


def register() -> None:
    """Let pyserial look for `protocol_<scheme>` in this package first."""
    if "bridge.ports" not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.insert(0, "bridge.ports")


def main() -> None:
    """Run esptool with this process's arguments; ends the process with esptool's exit code."""
    register()
    sys.argv[0] = "esptool"
    runpy.run_module("esptool", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
