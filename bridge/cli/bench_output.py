"""What `bench --json` prints. The figures are explained in docs/guides/benchmark.md; units are in the names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, RootModel

from bridge.cli.json_output import Output

#: A share of what the line carries at its baud.
Share = Annotated[float, Field(ge=0)]


class BenchDirection(Output):
    """Payload one way."""

    line_fraction: Share
    bytes_per_s: float


class BenchTwoStreams(Output):
    """Payload of two sockets, one each way."""

    host_to_board_line_fraction: Share
    board_to_host_line_fraction: Share


class BenchBoth(Output):
    """Payload both ways at once; `line_fraction` is the lesser."""

    line_fraction: Share
    host_to_board_line_fraction: Share
    board_to_host_line_fraction: Share
    two_streams: BenchTwoStreams


class BenchStream(Output):
    """One connection of `board.open_connection`: payload, and 100 bytes there and back."""

    host_to_board: BenchDirection
    board_to_host: BenchDirection
    answer_ms_p50: float
    answer_ms_p99: float
    ticks_paid: Share
    late_acknowledgements: BenchStream | None = None


class BenchCall(Output):
    """Small calls."""

    round_trip_ms_p50: float
    round_trip_heap_ms_p50: float
    round_trip_send_ms_p50: float
    per_s: float
    heap_per_s: float
    send_per_s: float
    pipelined_per_s: float
    pipelined_heap_per_s: float
    pipelined_send_per_s: float
    pipelined_heap_wire_bytes: float
    wire_bytes: float
    wire_samples: int


class BenchAgent(Output):
    """Heap that the agent and net take."""

    heap_bytes: int
    bootstrap_peak_bytes: int | None
    net_heap_bytes: int
    socket_heap_bytes: int
    fresh_heap_bytes: int


class BenchUpload(Output):
    """A file brought to the board, on the clock "virtual" or "wall"; null is what was not measured."""

    line_fraction: Share
    put_line_fraction: Share
    bytes: int
    seconds: float
    put_seconds: float
    digest: str
    clock: str
    flash_cost: bool
    whole_line_fraction: Share | None = None
    virtual_clock_line_fraction: Share | None = None
    with_flash_cost: BenchUpload | None = None


class BenchTool(Output):
    """The same file brought by another program."""

    upload_line_fraction: Share
    transfer_line_fraction: Share
    seconds: float
    start_seconds: float
    with_flash_cost: BenchTool | None = None


class BenchHost(Output):
    """The host's CPU time; null on a real board, where the other ways are not measured."""

    cpu_s_per_mb: float
    to_board_cpu_s_per_mb: float
    to_host_cpu_s_per_mb: float
    rfc2217_cpu_s_per_mb: float | None = None
    paced_921600_cpu_s_per_mb: float | None = None


class BenchStrain(Output):
    """How hard a virtual board worked in one part of the run."""

    longest_task_ms: float
    longest_task: str | None
    collection_ms: float
    full_collections: float
    incremental_cycles: float
    ring_bytes_lost: int
    lowest_heap: int | None


class BenchRun(Output):
    """One line: a speed and an adapter's latency."""

    baud: int
    adapter_latency_ms: float | None
    port: str
    seed: int
    cpu: float
    host_to_board: BenchDirection
    board_to_host: BenchDirection
    both: BenchBoth
    stream: BenchStream
    call: BenchCall
    agent: BenchAgent
    open_to_first_call_s: float
    upload: BenchUpload
    against: dict[str, BenchTool] | None = None
    host: BenchHost | None = None
    board: dict[str, BenchStrain] | None = None


class BenchOutput(RootModel[list[BenchRun]]):
    """A run for each line that was measured."""
