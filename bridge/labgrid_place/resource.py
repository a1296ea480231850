"""What labgrid knows of the board at a place, beside the port that it hangs on.

The port is a resource of labgrid's own: a `USBSerialPort` or `RawSerialPort` on the exporter, which reaches clients as
a `NetworkSerialPort`, or a `NetworkSerialPort` that something else serves. So nothing of this package is needed on an
exporter: it hands a resource of a class that it does not know to clients as it is written in its file.
"""

from __future__ import annotations

import attr
from labgrid.factory import target_factory
from labgrid.resource.common import Resource


@target_factory.reg_resource
@attr.s(eq=False)
class NodeMCU(Resource):
    """Facts of a board. labgrid carries text and numbers alone, so lists are text with commas.

    Args:
        mac: MAC address that the board must have (`5c:cf:7f:…`); empty: whichever is there.
        profile: kind of board (`bridge.profile`); empty: unknown, as most are wired.
        tags: words to choose it by.
        modules: of its firmware that are promised.
        flash: bytes of its flash; 0: unknown.
        lua: "5.1" or "5.3"; empty: unknown.
        reset: "lines" if RTS and DTR of its port reset it, else "none".
    """

    mac: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    profile: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    tags: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    modules: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    flash: int = attr.ib(default=0, validator=attr.validators.instance_of(int))
    lua: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    reset: str = attr.ib(default="lines", validator=attr.validators.in_(("lines", "none")))


def words(text: str) -> list[str]:
    """The words of a list with commas."""
    return [word for word in map(str.strip, text.split(",")) if word]
