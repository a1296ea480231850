"""Read the titles of a web site's pages with httpx, over the board's network: names, connections and addresses are the
board's, and https is encrypted here.

python examples/web_scraper.py [--port URL] [--pages N] http://HOST/

Needs httpx: pip install -e ".[httpx]"
"""

from __future__ import annotations

import argparse
import asyncio
from html.parser import HTMLParser

import httpx

import bridge
from bridge.integrations.httpx import BoardTransport


class Page(HTMLParser):
    """What a page is called, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title, self.links, self._in_title = "", list[str](), False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        self.links += [value for name, value in attributes if tag == "a" and name == "href" and value]

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


async def read(client: httpx.AsyncClient, url: httpx.URL) -> list[httpx.URL]:
    """Print a page's title; returns where it leads on the same host."""
    try:
        response = await client.get(url)
        response.raise_for_status()
    except httpx.HTTPError as error:
        print(f"{url.path}: {str(error).splitlines()[0]}")
        return []
    page = Page(response.text)
    print(f"{url.path}: {page.title}")
    found = (url.join(link).copy_with(fragment=None) for link in page.links)
    return [each for each in found if (each.scheme, each.host, each.port) == (url.scheme, url.host, url.port)]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--pages", type=int, default=20, help="pages to read at most")
    parser.add_argument("url")
    options = parser.parse_args()
    start = httpx.URL(options.url)
    seen, now = {start}, [start]
    async with (
        bridge.open_board(options.port) as board,
        httpx.AsyncClient(transport=BoardTransport(board), timeout=60, follow_redirects=True) as client,
    ):
        while now:
            # As many at once as the board can, which the transport sees to.
            found = await asyncio.gather(*(read(client, url) for url in now))
            now = []
            for url in (each for links in found for each in links):
                if url not in seen and len(seen) < options.pages:
                    seen.add(url)
                    now.append(url)


asyncio.run(main())
