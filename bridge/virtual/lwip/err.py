"""Results of the stack's functions and the texts that net raises for them (lwip/err.h, app/modules/net.c)."""

from __future__ import annotations

from enum import IntEnum


class Err(IntEnum):
    """`err_t` of lwIP 1.4.0.rc2. Callbacks in Lua get the number."""

    OK = 0
    MEM = -1
    BUF = -2
    TIMEOUT = -3
    RTE = -4
    INPROGRESS = -5
    VAL = -6
    WOULDBLOCK = -7
    ABRT = -8
    RST = -9
    CLSD = -10
    CONN = -11
    ARG = -12
    USE = -13
    IF = -14
    ISCONN = -15


#: What `lwip_lua_checkerr` raises.
TEXTS = {
    Err.MEM: "out of memory",
    Err.BUF: "buffer error",
    Err.TIMEOUT: "timeout",
    Err.RTE: "routing problem",
    Err.INPROGRESS: "in progress",
    Err.VAL: "illegal value",
    Err.WOULDBLOCK: "would block",
    Err.ABRT: "connection aborted",
    Err.RST: "connection reset",
    Err.CLSD: "connection closed",
    Err.CONN: "not connected",
    Err.ARG: "illegal argument",
    Err.USE: "address in use",
    Err.IF: "netif error",
    Err.ISCONN: "already connected",
}
