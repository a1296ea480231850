"""UART0 as the driver sees it: a ring of 256 bytes in, a FIFO of 128 bytes out (app/driver/uart.c).

Received bytes go into the ring as they arrive, whatever the CPU does; the oldest are lost when it is full. Bytes to
send leave back to back at the baud, and a task that wants to queue more than 126 waits with the CPU held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass

from bridge.virtual.sdk.cpu import BoardCpu

#: RX_BUFF_SIZE: the ring keeps the last 256 bytes.
RING_SIZE = 256
#: `uart_tx_one_char` waits while so many bytes are in the transmit FIFO.
FIFO_LIMIT = 126
#: UART_CLK_FREQ
CLOCK_HZ = 80_000_000
#: BIT_RATE_DEFAULT
DEFAULT_BAUD = 115200
#: Rates that `platform_uart_setup` knows (app/platform/platform.c); any other becomes 9600.
BAUDS = (
    300, 600, 1200, 2400, 4800, 9600, 19200, 31250, 38400, 57600, 74880, 115200, 230400, 256000, 460800, 921600,
    1843200, 3686400,
)  # fmt: skip

#: Called with bytes, the board time at which the first start bit leaves, and the baud.
Transmit = Callable[[bytes, float, int], None]


@dataclass
class Settings:
    """What `uart.setup` set on one UART."""

    baud: int = DEFAULT_BAUD
    databits: int = 8
    parity: int = 0
    stopbits: int = 1


class Uart:
    """UART0.

    Args:
        cpu: time that passes while the driver waits.
        transmit: takes what leaves.
        paced: False makes the line infinitely fast: the FIFO is always empty.
        lost: told how many bytes an overrun of the ring has cost.
    """

    def __init__(
        self,
        cpu: BoardCpu,
        transmit: Transmit,
        *,
        paced: bool = True,
        lost: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._cpu = cpu
        self._transmit = transmit
        self._paced = paced
        self._lost = lost
        self.settings = Settings()
        self._ring: deque[int] = deque(maxlen=RING_SIZE)
        self._sent_until = 0.0
        self._run = bytearray()
        self._run_start = 0.0
        #: Called when bytes came into the ring.
        self.on_received: Callable[[], None] = lambda: None

    # -- in ---------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Bytes arrived off the line now."""
        if len(data) > self.room:
            self._lost(len(data) - self.room)
        self._ring.extend(data)
        self.on_received()

    def read(self) -> int | None:
        """The oldest byte of the ring, or None (`uart_getc`)."""
        return self._ring.popleft() if self._ring else None

    def next(self) -> Generator[None, None, int | None]:
        """As `read`; before there is none, yields if what ran so far took time in which bytes may have arrived."""
        byte = self.read()
        if byte is None and self._cpu.ahead > 0:
            yield
            byte = self.read()
        return byte

    def catch_up(self) -> Generator[None, None, None]:
        """Yields if what ran held the CPU: the ring is looked at when that time has passed, and may have overflowed."""
        if self._cpu.ahead > 1e-4:
            yield

    @property
    def room(self) -> int:
        """Bytes that the ring can take without losing any."""
        return RING_SIZE - len(self._ring)

    # -- out --------------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Queue bytes as they are; waits at the wire's pace when the FIFO is full."""
        if not data:
            return
        now = self._cpu.now()
        start = max(now, self._sent_until)
        if self._run and abs(start - self._run_start - len(self._run) * self._byte_time) > 1e-9:
            self.flush()
        if not self._run:
            self._run_start = start
        self._run += data
        if not self._paced:
            self._sent_until = start
            return
        self._sent_until = start + len(data) * self._byte_time
        wait = self._sent_until - FIFO_LIMIT * self._byte_time - now
        if wait > 0:
            self._cpu.busy(wait)

    def put(self, text: bytes) -> None:
        """Send text as `uart0_putc` does: LF becomes CR LF, CR is dropped."""
        self.write(text.replace(b"\r", b"").replace(b"\n", b"\r\n"))

    def flush(self) -> None:
        """Hand what was queued to the line."""
        if self._run:
            data, self._run = bytes(self._run), bytearray()
            self._transmit(data, self._run_start, self.settings.baud)

    @property
    def queued(self) -> int:
        """Bytes in the transmit FIFO now."""
        left = self._sent_until - self._cpu.now()
        return max(0, min(128, round(left / self._byte_time + 0.499))) if self._paced else 0

    def drain(self) -> None:
        """Wait until the FIFO is empty (`uart_wait_tx_empty`)."""
        wait = self._sent_until - self._cpu.now()
        if wait > 0 and self._paced:
            self._cpu.busy(wait)

    @property
    def sent_until(self) -> float:
        """Board time at which the last queued byte will have left."""
        return self._sent_until

    @property
    def _byte_time(self) -> float:
        return 10.0 / self.settings.baud

    # -- setup ------------------------------------------------------------------------------------------------------

    def setup(self, settings: Settings) -> None:
        """`uart_setup`: waits for the FIFO to empty, then changes the registers (both FIFOs are reset)."""
        self.drain()
        self.flush()
        self.settings = settings

    @property
    def shown_baud(self) -> int:
        """`platform_uart_get_config`: the known rate nearest to what the divider makes."""
        real = CLOCK_HZ // (CLOCK_HZ // self.settings.baud)
        return min(BAUDS, key=lambda baud: abs(real - baud))
