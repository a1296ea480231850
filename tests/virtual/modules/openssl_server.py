"""`openssl s_server` as a process of its own, on this machine's loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.programs import require
from tests.virtual.modules.tls_bench import Identity


@asynccontextmanager
async def s_server(folder: Path, identity: Identity, *options: str) -> AsyncIterator[int]:
    """Run a server; gives its port.

    Args:
        folder: where certificate and key are put, and where the server serves files from.
        identity: its certificate.
        options: more of the program's options.
    """
    (folder / "server.pem").write_bytes(identity.chain + identity.key)
    own = ("-cert", "server.pem", "-cert_chain", "server.pem")
    process = await asyncio.create_subprocess_exec(
        require("openssl"), "s_server", "-accept", "127.0.0.1:0", *own, *options,
        cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        while not (found := re.match(rb"ACCEPT .*:(\d+)", line := await process.stdout.readline())):
            assert line, "the server ended"
        reading = asyncio.create_task(process.stdout.read())
        yield int(found[1])
    finally:
        process.kill()
        await process.wait()
        await reading
