"""Hostile input for the decoders and the session: valid things mutated, cut, joined, of another epoch, with lengths
that lie. Nothing may be raised but typed errors, and memory must stay where it is.

Run as `python -m tests.campaigns.fuzz --inputs 1000000 --seed 1`, or by scripts/fuzz.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bridge.errors import LocalProtocolError, RemoteProtocolError
from bridge.wire import messages
from bridge.wire.check import CheckKind
from bridge.wire.frame import MAX_PAYLOAD, Codec, Frame, Kind, Splitter
from bridge.wire.messages import (
    Call,
    DirectCall,
    Direction,
    Event,
    Failure,
    Hello,
    Invoke,
    Message,
    Reply,
    Source,
    Tune,
)
from bridge.wire.session import Session, State
from bridge.wire.values import Callback, Handle, Tag, Value, decode_values, encode_values

EPOCHS = (0x1234, 0x4321)


class Inputs:
    """Makes inputs from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def value(self, depth: int = 0) -> Value:
        """A value that has a form on the wire."""
        rng = self.rng
        kind = rng.randrange(9 if depth < 3 else 7)
        match kind:
            case 0:
                return rng.choice([True, False])
            case 1:
                return rng.randrange(-(2**31), 2**31)
            case 2:
                return rng.uniform(-1e6, 1e6)
            case 3 | 4:
                return rng.randbytes(rng.choice([0, 1, 5, 40, 300]))
            case 5:
                return Handle(rng.randrange(1, 65536))
            case 6:
                return Callback(rng.randrange(1, 65536))
            case 7:
                return [self.value(depth + 1) for _ in range(rng.randrange(4))]
        return {rng.randbytes(3): self.value(depth + 1) for _ in range(rng.randrange(4))}

    def values(self) -> tuple[Value, ...]:
        return tuple(self.value() for _ in range(self.rng.randrange(4)))

    def message(self, direction: Direction) -> Message:
        """A valid message."""
        rng = self.rng
        if direction is Direction.TO_BOARD:
            return rng.choice(
                [
                    Call(rng.choice([0, 64, 252, 253]), rng.randrange(256), self.values()),
                    DirectCall(rng.randrange(1, 64), rng.randrange(256), rng.randbytes(rng.randrange(30))),
                    Source(rng.randbytes(rng.randrange(1, 900))),
                    Tune(rng.randrange(256)),
                ]
            )
        return rng.choice(
            [
                Hello(rng.randbytes(8), self.values()),
                Reply(rng.randrange(256), self.values()),
                Failure(rng.randrange(256), self.values()),
                Event(rng.randrange(65536), rng.randrange(256), self.values()),
                Invoke(rng.randrange(65536), rng.randrange(65536), self.values()),
            ]
        )

    def hostile_values(self) -> bytes:
        """Values whose lengths and counts lie, or that nest without end."""
        rng = self.rng
        tag = rng.choice([*(bytes((tag,)) for tag in Tag), rng.randbytes(1)])
        length = rng.choice([b"\xff\xff", b"\0\0", b"\0\1", b"\x7f\xff", rng.randbytes(2)])
        match rng.randrange(5):
            case 0:
                return tag + length + rng.randbytes(rng.randrange(20))
            case 1:
                return b"e\0\1" * rng.choice([3, 8, 9, 200, 2000]) + rng.randbytes(3)
            case 2:
                return b"e\xff\xff" + b"l\0\0" * rng.randrange(3000)
            case 3:
                text = rng.choice(
                    [b"1" * 5000, b"nan", b"-inf", b"1e999", b"0x", b"", b"+-1", b"1_0", rng.randbytes(9)]
                )
                return b"r" + len(text).to_bytes(2, "big") + text
        return b"e" + length + b"e\0\0e\0\0" * rng.randrange(5) + encode_values((Handle(1), Callback(2)))

    def message_bytes(self) -> tuple[bytes, Direction]:
        """Bytes of a message, right or wrong."""
        rng = self.rng
        direction = rng.choice(list(Direction))
        if rng.random() < 0.4:
            head = bytes((rng.randrange(256) if rng.random() < 0.3 else rng.randrange(1, 6), rng.randrange(256)))
            return head + rng.randbytes(rng.randrange(9)) + self.hostile_values(), direction
        data = messages.encode(self.message(direction))
        return self.mutated(data) if rng.random() < 0.7 else data, direction

    def frame(self, *, to_host: bool) -> tuple[Frame, Codec]:
        """A frame that may be a lie, of this epoch or another."""
        rng = self.rng
        direction = Direction.TO_HOST if to_host else Direction.TO_BOARD
        data = messages.encode(self.message(direction)) if rng.random() < 0.7 else self.message_bytes()[0]
        kind = rng.choice([Kind.LAST, Kind.LAST, Kind.MORE, Kind.BARE] + ([] if to_host else [Kind.AGAIN]))
        payload = data[: rng.randrange(1, MAX_PAYLOAD)] or b"\0"
        # Small numbers, so that some are those that are wanted.
        seq, ack = rng.choice([rng.randrange(32), rng.randrange(3)]), rng.choice([rng.randrange(32), 0])
        mask = rng.choice([0, 0, rng.randrange(1, 65536)]) if to_host else 0
        nak, poll = rng.random() < 0.2, rng.random() < 0.2
        if kind is Kind.BARE:
            seq, payload = 0, b""
        frame = Frame(kind, seq, ack, mask, nak, poll, payload)
        return frame, Codec(rng.choice(list(CheckKind)), rng.choice([EPOCHS[0], EPOCHS[0], EPOCHS[1]]))

    def line(self, *, to_host: bool) -> bytes:
        """What a line may bring."""
        rng = self.rng
        match rng.randrange(6):
            case 0:
                return rng.randbytes(rng.choice([1, 5, 60, 700]))
            case 1:
                return rng.choice(
                    [b"\0" * 300, b"x" * 3000, b"> ", b"\r\nets Jan  8 2013,rst cause:2\r\n", b"\xff" * 124]
                )
        out = b""
        for _ in range(rng.randrange(1, 4)):
            frame, codec = self.frame(to_host=to_host)
            out += codec.encode(frame, to_host=to_host)
        return self.mutated(out) if rng.random() < 0.5 else out

    def mutated(self, data: bytes) -> bytes:
        """The same with a few things wrong."""
        rng = self.rng
        out = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(out) + 1)
            match rng.randrange(6):
                case 0:
                    del out[at:]
                case 1:
                    del out[at : at + rng.randrange(1, 9)]
                case 2:
                    out[at:at] = rng.randbytes(rng.randrange(1, 9))
                case 3:
                    out[at : at + 2] = b"\xff\xff"
                case 4:
                    out[at : at + 1] = bytes((rng.randrange(256),))
                case 5:
                    out += out[:at]
        return bytes(out)


@dataclass
class Fuzzer:
    """Feeds inputs to all targets in turn and counts them."""

    seed: int
    inputs: Inputs = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)
    """Inputs of each target, and typed errors of each kind."""

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.seed)
        self._splitter = Splitter()
        self._sessions: dict[bool, Session] = {}
        self._now = 0.0

    def run(self, count: int) -> None:
        """So many inputs. Raises what a target raises, if it is not typed; the seed is then said."""
        targets: list[Callable[[], None]] = [
            self._split, self._decode, self._decode_message, self._decode_values,
            lambda: self._session(board=False), lambda: self._session(board=True),
        ]  # fmt: skip
        names = ["splitter", "codec", "messages", "values", "host session", "board session"]
        for number in range(count):
            which = number % len(targets)
            self.counts[names[which]] += 1
            try:
                targets[which]()
            except RemoteProtocolError as error:
                self.counts[type(error).__name__] += 1
            except BaseException as error:
                error.add_note(f"seed {self.seed}, input {number}, {names[which]}")
                raise

    def _split(self) -> None:
        data = self.inputs.line(to_host=True)
        segments = self._splitter.feed(data)
        assert len(self._splitter.pending) <= Splitter.LIMIT
        assert not any(b"\0" in segment for segment in segments)

    def _decode(self) -> None:
        to_host = self.inputs.rng.random() < 0.5
        frame, codec = self.inputs.frame(to_host=to_host)
        line = codec.seal(frame, to_host=to_host)
        if self.inputs.rng.random() < 0.2:
            assert codec.decode(line, to_host=to_host) == frame
        segment = self.inputs.mutated(line)
        found = codec.decode(segment, to_host=to_host)
        self.counts["accepted as frames"] += found is not None and found != frame

    def _decode_message(self) -> None:
        messages.decode(*self.inputs.message_bytes())

    def _decode_values(self) -> None:
        inputs = self.inputs
        hostile = inputs.rng.random() < 0.5
        decode_values(inputs.hostile_values() if hostile else inputs.mutated(encode_values(inputs.values())))

    def _session(self, *, board: bool) -> None:
        rng = self.inputs.rng
        session = self._sessions.get(board)
        if session is None or rng.random() < 0.002:
            session = self._sessions[board] = Session(Codec(CheckKind.CRC, EPOCHS[0]), board=board, name="fuzz")
            self.counts["sessions"] += 1
        self._now += rng.choice([0.0, 0.001, 0.02, 0.05, 0.2, 1.0])
        session.receive_data(self.inputs.line(to_host=not board), self._now)
        if rng.random() < 0.3:
            session.handle_timeout(self._now)
        elif (due := session.deadline()) is not None and rng.random() < 0.7:
            self._now = max(self._now, due)
            session.handle_timeout(self._now)
        if rng.random() < 0.1 and session.sender.queued < 10_000 and session.state in (State.OPENING, State.OPEN):
            with contextlib.suppress(LocalProtocolError):  # longer than a message may be
                session.send(self.inputs.message(Direction.TO_HOST if board else Direction.TO_BOARD), self._now)
        session.data_to_send(self._now)
        while (event := session.next_event()) is not None:
            self.counts[type(event).__name__] += 1
        if session.state is State.FAILED:
            del self._sessions[board]


def memory_kb() -> int:
    """Resident memory of this process in KB."""
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def main() -> int:
    """Fuzz and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    fuzzer = Fuzzer(arguments.seed)
    fuzzer.run(20_000)
    before, begun = memory_kb(), time.monotonic()
    fuzzer.run(max(arguments.inputs - 20_000, 0))
    after = memory_kb()
    print(f"seed {arguments.seed}: {arguments.inputs} inputs in {time.monotonic() - begun:.0f} s")
    print(f"memory {before} KB after 20 000 inputs, {after} KB at the end")
    for name, count in sorted(fuzzer.counts.items()):
        print(f"  {name}: {count}")
    return 0 if after < before + 20_000 else 1


if __name__ == "__main__":
    sys.exit(main())
