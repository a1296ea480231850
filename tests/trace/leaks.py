"""Looks for what must not be in a trace, in every form it could have there."""

from __future__ import annotations

import base64
from pathlib import Path

from bridge.trace import Trace, read
from bridge.trace.order import Order, carries, joined
from bridge.trace.playback import sessions
from bridge.wire.parts import Parts

#: So many bytes of a secret in a row are too many.
TOO_MANY = 5


def assert_no_leak(trace: Path | Trace, *secrets: bytes) -> None:
    """No piece of a secret stands in the file, in the bytes it stands for, in its frames, or in the messages of these,
    plain, in hex or in base64."""
    places = {}
    if isinstance(trace, Path):
        places["the file"] = trace.read_bytes()
        trace = read(trace)
    for mark in "<>":
        places[f"the bytes {mark}"] = b"".join(record.data for record in trace.records if record.mark == mark)
    for number, (codec, _, _, _) in enumerate(sessions(trace)):
        for mark in "<>":
            order: Order[None] = Order()
            payloads = messages = b""
            parts = Parts(codec, to_host=mark == "<")
            segments = places[f"the bytes {mark}"].split(b"\0")
            for _, frame in (each for segment in segments for each in parts.take(segment)):
                if frame is not None and carries(frame):
                    payloads += frame.payload
                    messages += b"".join(map(joined, order.arrived(frame, None)[1]))
            places[f"the frames {mark} of session {number}"] = payloads
            places[f"the messages {mark} of session {number}"] = messages
    for place, data in places.items():
        for secret in secrets:
            pieces = {secret[i : i + TOO_MANY] for i in range(max(len(secret) - TOO_MANY + 1, 1))}
            pieces |= {secret.hex().encode(), secret.hex().upper().encode(), secret.hex(" ").encode()}
            # Base64 without its ends, which depend on what stands beside.
            pieces |= {base64.b64encode(b"x" * shift + secret)[4:-4] for shift in range(3)} - {b""}
            found = [piece for piece in pieces if piece in data]
            assert not found, f"{found} of {secret!r} in {place}"
