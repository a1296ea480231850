"""Which board it is that a test ran on: its address and its firmware, for reports."""

from __future__ import annotations

from bridge.board import Board

#: 3.x answers by a table, 2.x with eight numbers whatever it was asked (app/modules/node.c).
_QUESTION = """
local ok,t,n,p=pcall(node.info,"sw_version")
local s=ok and type(t)=="table" and t or {}
if s~=t then s.node_version_major,s.node_version_minor,s.node_version_revision=t,n,p end
return wifi and wifi.sta.getmac() or "",
ok and ("%d.%d.%d"):format(s.node_version_major,s.node_version_minor,s.node_version_revision) or "",
s.git_branch or "",s.git_commit_id or ""
"""
#: Digits of a commit that are shown, as git itself does.
_COMMIT = 7


async def identity_of(board: Board) -> tuple[str | None, str | None]:
    """The MAC address of a board's station and what its firmware says of itself; None for what it does not say.

    The firmware is a text for people, "NodeMCU 3.0.0, release 36cbf9f, Lua 5.1 float": its version, the branch and the
    commit that it was built from, where it says them, and its Lua.

    Raises:
        BridgeError: the board does not answer.
    """
    mac, version, branch, commit = (each.decode("utf-8", "replace") for each in await board.exec(_QUESTION))
    source = " ".join(filter(None, (branch, commit[:_COMMIT])))
    firmware = ", ".join(filter(None, (f"NodeMCU {version}", source, f"Lua {board.facts.lua} {board.facts.number}")))
    return mac.lower() or None, firmware if version else None
