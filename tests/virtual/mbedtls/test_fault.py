from __future__ import annotations

import pytest

from bridge.virtual.mbedtls.fault import Code, TlsFault, event_code, handshake_status
from bridge.virtual.modules.tls_socket import REASONS


@pytest.mark.parametrize(
    ("code", "status", "event"),
    [
        (Code.SSL_FATAL_ALERT_MESSAGE, -0x77F7, 9),
        (Code.SSL_INVALID_RECORD, -0x72, -0x72),
        (Code.X509_CERT_VERIFY_FAILED, -0x27, -0x27),
        (Code.NET_INVALID_CONTEXT, -0x45, -0x45),
        (-1, -1, -1),
        (-0x3D00, -61, -61),
    ],
)
def test_codes_are_cut_as_the_glue_cuts_them(code: int, status: int, event: int) -> None:
    assert handshake_status(code) == status and event_code(status) == event


def test_no_code_of_a_failed_handshake_has_a_reason() -> None:
    """The stock glue has texts for these, and cuts the codes so that none of them comes out."""
    assert [code for code in Code if event_code(handshake_status(code)) in REASONS] == []
    assert str(TlsFault(Code.SSL_INVALID_MAC)) == "-0x7180" and TlsFault(-1, "why").code == -1
