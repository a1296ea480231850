"""The `sjson` module (app/modules/sjson.c): JSON in one go and in pieces.

Known oddities of the C source are kept: `depth` has no effect (it is read from the wrong stack slot), backslashes in
strings are not escaped, and an options table without `null` drops nulls.
"""

from __future__ import annotations

from bridge.virtual.lua.api import Args, Module, Result
from bridge.virtual.modules.sjson_decoder import Decoder
from bridge.virtual.modules.sjson_encoder import Encoder
from bridge.virtual.sdk.kernel import Kernel

#: What `encode` asks of its encoder at once.
_ALL = 1_000_000


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""

    def encode(args: Args) -> Result:
        return (yield from _encoder(args).read(_ALL))

    def decode(args: Args) -> Result:
        decoder = Decoder(kernel, args, 2)
        return (yield from decoder.decode(args.check_string(1)))

    def _encoder(args: Args) -> Encoder:
        args.check_table(1)
        return Encoder(kernel, args.get(1), args.get(2) if args.type_name(2) == "table" else None)

    return Module(
        "sjson",
        {
            "encode": encode,
            "decode": decode,
            "encoder": _encoder,
            "decoder": lambda args: Decoder(kernel, args, 1),
        },
    )
