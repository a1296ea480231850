"""The figures of a run as a table for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bridge.bench.measure import Figures

#: Lines of the table: the key's path, what it is, and how its value is written.
_LINES = (
    ("host_to_board.line_fraction", "payload to the board, of the line", "{:.1%}"),
    ("board_to_host.line_fraction", "payload to the host, of the line", "{:.1%}"),
    ("both.host_to_board_line_fraction", "both at once: to the board", "{:.1%}"),
    ("both.board_to_host_line_fraction", "both at once: to the host", "{:.1%}"),
    ("stream.host_to_board.line_fraction", "open_connection, writing", "{:.1%}"),
    ("stream.board_to_host.line_fraction", "open_connection, reading", "{:.1%}"),
    ("stream.late_acknowledgements.host_to_board.line_fraction", "writing, peer acknowledges 40 ms late", "{:.1%}"),
    ("stream.answer_ms_p50", "100 bytes there and back, median", "{:.0f} ms"),
    ("stream.answer_ms_p99", "100 bytes there and back, 99 of 100", "{:.0f} ms"),
    ("stream.ticks_paid", "of them waited for the stack's tick", "{:.0%}"),
    ("call.round_trip_heap_ms_p50", "node.heap(), one by one, median", "{:.2f} ms"),
    ("call.round_trip_send_ms_p50", "socket.send(8 bytes), one by one, median", "{:.2f} ms"),
    ("call.heap_per_s", "node.heap(), one by one", "{:.0f} /s"),
    ("call.send_per_s", "socket.send(8 bytes), one by one", "{:.0f} /s"),
    ("call.pipelined_heap_per_s", "node.heap(), all at once", "{:.0f} /s"),
    ("call.pipelined_send_per_s", "socket.send(8 bytes), all at once", "{:.0f} /s"),
    ("call.wire_bytes", "bytes on the wire for one such send", "{:g}"),
    ("open_to_first_call_s", "from open to first call", "{:.2f} s"),
    ("upload.line_fraction", "upload of a file, of the line", "{:.1%}"),
    ("upload.put_line_fraction", "the same, compared and in its place", "{:.1%}"),
    ("against.nodemcu-uploader.upload_line_fraction", "the same by nodemcu-uploader", "{:.1%}"),
    ("against.nodemcu-tool.upload_line_fraction", "the same by NodeMCU-Tool", "{:.1%}"),
    ("upload.with_flash_cost.line_fraction", "upload with what the flash takes", "{:.1%}"),
    ("against.nodemcu-uploader.with_flash_cost.upload_line_fraction", "the same by nodemcu-uploader", "{:.1%}"),
    ("against.nodemcu-tool.with_flash_cost.upload_line_fraction", "the same by NodeMCU-Tool", "{:.1%}"),
    ("host.cpu_s_per_mb", "host's CPU per MB", "{:.2f} s"),
    ("host.rfc2217_cpu_s_per_mb", "host's CPU per MB, RFC 2217", "{:.2f} s"),
    ("host.paced_921600_cpu_s_per_mb", "host's CPU per MB, a packet at a time", "{:.2f} s"),
    ("agent.heap_bytes", "heap of the agent", "{} bytes"),
    ("agent.bootstrap_peak_bytes", "heap at the bootstrap's peak", "{} bytes"),
    ("agent.net_heap_bytes", "heap of net with one socket", "{} bytes"),
    ("agent.socket_heap_bytes", "heap of each further socket", "{} bytes"),
    ("board.open.longest_task_ms", "board's longest task while it is opened", "{:.1f} ms"),
    ("board.work.longest_task_ms", "board's longest task after that", "{:.1f} ms"),
    ("board.work.full_collections", "full collections after that", "{:g}"),
    ("board.work.incremental_cycles", "incremental cycles after that", "{:g}"),
    ("board.work.ring_bytes_lost", "bytes lost in the board's ring", "{}"),
    ("board.work.lowest_heap", "least free heap", "{} bytes"),
)


def show(runs: list[Figures], console: Console) -> None:
    """Print the runs side by side."""
    table = Table("", *(_title(run) for run in runs))
    for column in table.columns[1:]:
        column.justify = "right"
    for path, what, form in _LINES:
        values = [_value(run, path) for run in runs]
        if any(value is not None for value in values):
            table.add_row(what, *("–" if value is None else form.format(value) for value in values))
    console.print(table)


def _title(run: Figures) -> str:
    latency = run["adapter_latency_ms"]
    return f"{run['baud']} baud" + ("" if latency is None else f"\n{latency:g} ms")


def _value(run: Figures, path: str) -> object:
    value: object = run
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
