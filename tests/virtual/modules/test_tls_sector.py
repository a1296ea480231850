"""How PEM texts lie in a flash sector."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.virtual.chip.flash import SECTOR_SIZE, FlashMemory
from bridge.virtual.lua.api import LuaFault
from bridge.virtual.modules.tls_sector import CLIENT_CERT, SERVER_CERT, find_blob, is_written, store
from bridge.virtual.sdk.kernel import OutOfHeap

KINDS = ((b"CERTIFICATE", b"certificate"), (b"RSA PRIVATE KEY", b"private_key"))


class Kernel(SimpleNamespace):
    """What `store` needs of a kernel."""

    def __init__(self, heap: int = 8192) -> None:
        super().__init__(flash=FlashMemory(1 << 20), cpu=self, heap=self)
        self.left = heap
        self.waited = 0.0

    def claim(self, size: int) -> int:
        if size > self.left:
            raise OutOfHeap
        self.left -= size
        return size

    def release(self, size: int) -> None:
        self.left += size

    def feed(self) -> None:
        pass

    def busy(self, seconds: float) -> None:
        self.waited += seconds


def pem(kind: str, data: bytes) -> bytes:
    text = base64.encodebytes(data).decode()
    return f"in front\n-----BEGIN {kind}-----\n{text}-----END {kind}-----\nbehind".encode()


def test_sectors_are_the_second_and_third_of_the_code_in_flash() -> None:
    assert (SERVER_CERT, CLIENT_CERT) == (0x11000, 0x12000)


def test_blobs_are_found_again() -> None:
    kernel: Any = Kernel()
    assert not is_written(kernel, CLIENT_CERT)
    store(kernel, CLIENT_CERT, [pem("CERTIFICATE", b"one" * 100), pem("RSA PRIVATE KEY", b"two!")], KINDS)
    assert is_written(kernel, CLIENT_CERT) and kernel.left == 8192 and 0.05 < kernel.waited < 0.1
    assert find_blob(kernel, CLIENT_CERT, None) == find_blob(kernel, CLIENT_CERT, b"certificate") == b"one" * 100
    assert find_blob(kernel, CLIENT_CERT, b"private_key") == b"two!"
    assert find_blob(kernel, CLIENT_CERT, b"other") is None
    page = kernel.flash.read(CLIENT_CERT, SECTOR_SIZE)
    assert page[:34] == b"certificate".ljust(32, b"\0") + (300).to_bytes(2, "little") and page[-1] == 0xFF


def test_what_is_there_already_is_not_written_again() -> None:
    kernel: Any = Kernel()
    for _ in range(2):
        store(kernel, SERVER_CERT, [pem("CERTIFICATE", b"one")], KINDS)
    waited = kernel.waited
    store(kernel, SERVER_CERT, [pem("CERTIFICATE", b"one"), None][:1], KINDS)
    assert kernel.waited == waited


@pytest.mark.parametrize("length", [SECTOR_SIZE - 34 - 1, SECTOR_SIZE - 34])
def test_a_sector_is_never_filled_to_the_last_byte(length: int) -> None:
    kernel: Any = Kernel()
    if length < SECTOR_SIZE - 34:
        store(kernel, SERVER_CERT, [pem("CERTIFICATE", bytes(length))], KINDS)
        assert find_blob(kernel, SERVER_CERT, None) == bytes(length)
    else:
        with pytest.raises(LuaFault) as fault:
            store(kernel, SERVER_CERT, [pem("CERTIFICATE", bytes(length))], KINDS)
        assert fault.value.text == b"Invalid PEM format data"


def test_without_heap_for_a_page_it_is_out_of_memory() -> None:
    kernel: Any = Kernel(heap=4000)
    with pytest.raises(LuaFault) as fault:
        store(kernel, SERVER_CERT, [pem("CERTIFICATE", b"one")], KINDS)
    assert fault.value.text == b"not enough memory" and not fault.value.position


def test_an_empty_flash_and_one_full_of_zeros_hold_nothing() -> None:
    kernel: Any = Kernel()
    assert find_blob(kernel, SERVER_CERT, None) is None
    kernel.flash.program(SERVER_CERT, bytes(2 * SECTOR_SIZE))
    assert not is_written(kernel, SERVER_CERT) and find_blob(kernel, SERVER_CERT, b"certificate") is None
