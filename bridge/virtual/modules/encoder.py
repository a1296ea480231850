"""The `encoder` module (app/modules/encoder.c): base64 and hexadecimal text of byte strings."""

from __future__ import annotations

import base64
import binascii
import re

from bridge.virtual.lua.api import Args, LuaFault, Module
from bridge.virtual.sdk.kernel import Kernel

_BASE64 = re.compile(rb"[A-Za-z0-9+/]*\Z")
_HEX = re.compile(rb"[0-9A-Fa-f]*\Z")


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    return Module(
        "encoder",
        {
            "fromBase64": _from_base64,
            "toBase64": lambda args: base64.b64encode(args.check_string(1)),
            "fromHex": _from_hex,
            "toHex": lambda args: binascii.hexlify(args.check_string(1)),
        },
    )


def _from_base64(args: Args) -> bytes:
    text = args.check_string(1)
    if not text:
        return b""
    pad = 0
    if text.endswith(b"="):
        pad = 2 if text[-2:] == b"==" else 1
    if len(text) % 4 or not _BASE64.match(text[: len(text) - pad]):
        raise LuaFault("Invalid base64 string")
    return base64.b64decode(text)


def _from_hex(args: Args) -> bytes:
    text = args.check_string(1)
    if len(text) % 2 or not _HEX.match(text):
        raise LuaFault("Invalid hex string")
    return binascii.unhexlify(text)
