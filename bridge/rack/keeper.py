"""The keeper: the process that has the ports which another one, its holder, has leased.

python -m bridge.rack.keeper DESCRIPTOR

A holder that is stopped in the middle of writing and goes on after its time cannot be kept from writing, so it never
has the port: this process has it, serves it to the holder as long as it hears of it, and then gives up the port before
the lock. Both speak in lines of JSON over a socket pair. What the holder says counts as a sign of life, and so does an
empty word of it ("beat"). It starts quickly: few imports, and none of asyncio.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

from bridge.rack.claims import Claim
from bridge.rack.kept import Kept

Message = Mapping[str, Any]


class Keeper:
    """All leases of one holder.

    Args:
        control: the keeper's end of the socket pair.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        control.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, None)
        self._received = bytearray()
        self._heard_at = time.monotonic()
        self._holder_lives = True
        self._claims: dict[int, Claim] = {}
        self._leases: dict[int, Kept] = {}
        self._last_lease = 0

    def run(self) -> None:
        """Keep, until the holder is gone and all is given back."""
        while self._holder_lives or self._leases:
            ready = self._selector.select(self._timeout())
            # Whatever the holder has said is heard before it is judged: this process may have been late itself.
            self._hear()
            now = time.monotonic()
            self._judge(now)
            for key, events in ready:
                if key.data is not None and self._selector.get_map().get(key.fd) == key:
                    key.data(events)
            now = time.monotonic()
            for claim in [*self._claims.values()]:
                self._try(claim, now)
            for lease in [*self._leases.values()]:
                lease.tick(now)
                if lease.is_over:
                    del self._leases[lease.number]

    def _timeout(self) -> float | None:
        times = [claim.next_at for claim in self._claims.values()]
        for lease in self._leases.values():
            times += [at for at in (lease.deadline, None if lease.ending else self._heard_at + lease.ttl) if at]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _hear(self) -> None:
        while self._holder_lives:
            try:
                data = self._control.recv(65536)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                data = b""
            if not data:
                self._holder_lives = False
                self._selector.unregister(self._control)
                for claim in self._claims.values():
                    claim.give_up()
                self._claims.clear()
                for lease in self._leases.values():
                    lease.end("the holder ended", at_once=True)
                return
            self._received += data
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        if lines:
            # A holder that finds itself late says nothing (`bridge.rack.holder`): what is late in here is this process.
            self._heard_at = time.monotonic()
            for claim in self._claims.values():
                claim.touch()
            for lease in self._leases.values():
                lease.touch()
        for line in lines:
            self._obey(json.loads(line))

    def _judge(self, now: float) -> None:
        """End what the holder has been silent for too long for."""
        for lease in self._leases.values():
            if not lease.ending and now - self._heard_at > lease.ttl:
                lease.end(f"nothing was heard of its holder for {lease.ttl:g} s", at_once=True)
        for number, claim in [*self._claims.items()]:
            if now - self._heard_at > claim.ttl:
                claim.give_up()
                del self._claims[number]
                self.tell({"id": number, "again": True})

    def _obey(self, message: Message) -> None:
        match message.get("do"):
            case "claim":
                claim = Claim(self._selector, message)
                self._claims[claim.number] = claim
            case "cancel":
                claim_or_none = self._claims.pop(message["id"], None)
                if claim_or_none is not None:
                    claim_or_none.give_up()
                    self.tell({"id": message["id"], "cancelled": True})
            case "serve":
                lease = self._leases.get(message["lease"])
                if lease is None or lease.ending:
                    self.tell({"id": message["id"], "over": True})
                else:
                    lease.serve(self._selector, message)
            case "take in":
                lease = self._leases.get(message["lease"])
                if lease is None or lease.ending:
                    self.tell({"id": message["id"], "over": True})
                else:
                    lease.take_in(message["id"])
            case "release":
                lease = self._leases.get(message["lease"])
                if lease is None or lease.ending:
                    self.tell({"id": message["id"], "over": True})
                else:
                    lease.release(message["id"])
            case "drop":
                lease = self._leases.get(message["lease"])
                if lease is not None:
                    lease.end("its holder stood still", at_once=True)
            case _:  # a beat; the answer says that this process lives, too
                self.tell({"beat": True})

    def _try(self, claim: Claim, now: float) -> None:
        if now < claim.next_at:
            return
        locks = claim.attempt(now)
        if locks is None:
            if claim.answer is not None:
                self._claims.pop(claim.number, None)
                self.tell({"id": claim.number, **claim.answer})
            return
        self._claims.pop(claim.number, None)
        got = []
        for place, lock in locks:
            self._last_lease += 1
            lease = Kept(self._last_lease, place, lock, claim, self.tell)
            self._leases[lease.number] = lease
            got.append({"place": place["name"], "lease": lease.number, "generation": lease.generation,
                        "trouble": lease.trouble})  # fmt: skip
        self.tell({"id": claim.number, "got": got, "order": claim.order})

    def tell(self, message: Message) -> None:
        """Say something to the holder, if it is there."""
        # It reads in a thread of its own; one that is stopped and has a full buffer is lost to us anyway.
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps(message).encode() + b"\n")


def main(arguments: list[str]) -> int:
    """Keep for the process at the other end of an inherited socket."""
    with socket.socket(fileno=int(arguments[0])) as control:
        keeper = Keeper(control)
        try:
            keeper.run()
        except Exception as error:
            import traceback

            keeper.tell({"crash": "".join(traceback.format_exception(error))})
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
