"""Tell which DNS servers the board asks, and set others. In Lua, on the board:

    print(net.dns.getdnsserver(0)) -- 208.67.222.222
    print(net.dns.getdnsserver(1)) -- nil

    net.dns.setdnsserver("8.8.8.8", 0)
    net.dns.setdnsserver("192.168.1.252", 1)

    print(net.dns.getdnsserver(0)) -- 8.8.8.8
    print(net.dns.getdnsserver(1)) -- 192.168.1.252

python examples/net_dns_servers.py [--port URL] [FIRST [SECOND]]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("first", nargs="?", default="8.8.8.8")
    parser.add_argument("second", nargs="?", default="192.168.1.252")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        dns = board.net.dns
        print(await dns.getdnsserver(0))
        print(await dns.getdnsserver(1))

        await dns.setdnsserver(options.first, 0)
        await dns.setdnsserver(options.second, 1)

        print(await dns.getdnsserver(0))
        print(await dns.getdnsserver(1))


asyncio.run(main())
