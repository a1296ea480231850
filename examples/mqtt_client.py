"""Talk to an MQTT broker in the board's network, with paho-mqtt, which has never heard of boards.

python examples/mqtt_client.py [--port URL] [--tcp-port N] [--topic TOPIC] HOST MESSAGE

Publishes a message and waits until it comes back.

paho wants a socket of this computer, and there is no public way to hand it another stream. So it gets one: a Unix
socket in a folder that nobody else can enter, from which `relay` carries the bytes to a connection of the board and
back. That needs nothing of paho that is not documented. Libraries on asyncio that could take our stream itself (gmqtt,
amqtt) connect inside a private method, which would have to be copied. Whatever else wants a socket is served
in the same way. Needs paho-mqtt: pip install paho-mqtt
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt

import bridge
from bridge.streams.relay import relay


@asynccontextmanager
async def way_to(board: bridge.Board, host: str, port: int, failed: Callable[[OSError], None]) -> AsyncIterator[str]:
    """A Unix socket that leads to a host by the board; gives its path. What goes wrong on the way is told."""
    carriers: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        carriers.add(task)
        try:
            await relay((reader, writer), await board.open_connection(host, port))
        except OSError as error:
            failed(error)
        finally:
            writer.close()

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "broker"))
        async with await asyncio.start_unix_server(carry, path):
            yield path
            if carriers:
                await asyncio.wait(carriers)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--tcp-port", type=int, default=1883)
    parser.add_argument("--topic", default="nodemcu-bridge/example")
    parser.add_argument("host")
    parser.add_argument("message")
    options = parser.parse_args()
    loop = asyncio.get_running_loop()
    subscribed, received = loop.create_future(), loop.create_future()

    # paho calls these in a thread of its own.
    def on_connect(client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        print(f"the broker says: {reason}", flush=True)
        client.subscribe(options.topic, qos=1)

    def on_subscribe(client: mqtt.Client, *_: Any) -> None:
        loop.call_soon_threadsafe(subscribed.set_result, None)

    def on_message(client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        loop.call_soon_threadsafe(received.set_result, message)

    def failed(error: OSError) -> None:
        for future in (subscribed, received):
            if not future.done():
                future.set_exception(error)
                future.exception()  # only one of them may be waited for

    async with (
        bridge.open_board(options.port) as board,
        asyncio.timeout(60),
        way_to(board, options.host, options.tcp_port, failed) as path,
    ):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="unix")
        client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
        await asyncio.to_thread(client.connect, path)
        client.loop_start()
        try:
            await subscribed
            published = client.publish(options.topic, options.message, qos=1)
            message = await received
            await asyncio.to_thread(published.wait_for_publish, 30)
            print(f"{message.topic}: {message.payload.decode()}")
        except OSError as error:
            raise SystemExit(str(error)) from error
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)


asyncio.run(main())
