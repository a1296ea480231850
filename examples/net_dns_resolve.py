"""Look names up without a socket. In Lua, on the board:

    net.dns.resolve("www.google.com", function(sk, ip)
        if (ip == nil) then print("DNS fail!") else print(ip) end
    end)

python examples/net_dns_resolve.py [--port URL] [NAME …]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("names", nargs="*", metavar="NAME", default=["www.google.com"])
    options = parser.parse_args()
    answered = asyncio.Event()

    def found(sk: None, ip: str | None) -> None:
        if ip is None:
            print("DNS fail!")
        else:
            print(ip)
        answered.set()

    async with bridge.open_board(options.port) as board:
        for name in options.names:
            answered.clear()
            await board.net.dns.resolve(name, found)
            await answered.wait()
            # Without a function, Python waits for the address.
            print(name, "is", await board.net.dns.resolve(name))


asyncio.run(main())
