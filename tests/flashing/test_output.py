from __future__ import annotations

import pytest

from bridge.errors import BridgeError, FlashError, PortBusy, PortError, PortLost, PortNotFound
from bridge.flashing.output import KEPT, FlashProgress, Reader, explain
from bridge.ports.esptool_session import MARK


def test_progress_is_read_from_text_in_any_pieces() -> None:
    text = (
        "Connecting....\nUploading stub flasher...\nFlash will be erased from 0x0 to 0x1fff...\n"
        "Writing at 0x00001000 ━━━   50.0% 1kB/2kB [0s] \rWriting at 0x00002000 ━━━━━━ 100.0% 2kB/2kB [0s] \n"
        "Verifying written data...\nHard resetting via RTS pin...\n"
    )
    whole: list[FlashProgress] = []
    Reader(whole.append).feed(text)
    stages = list(dict.fromkeys(step.stage for step in whole))
    assert stages == ["connecting to the ROM loader", "starting the flasher", "erasing", "writing", "verifying",
                      "resetting"]  # fmt: skip
    assert [step.fraction for step in whole if step.fraction is not None][-1] == 1.0
    pieces: list[FlashProgress] = []
    reader = Reader(pieces.append)
    for character in text:
        reader.feed(character)
    assert list(dict.fromkeys(step.stage for step in pieces)) == stages


def test_the_end_of_the_output_is_kept() -> None:
    reader = Reader(None)
    assert reader.feed("one\ntwo") == ["one"]
    assert reader.feed("\n" + "x" * KEPT) == ["two"]
    assert len(reader.output) == KEPT


@pytest.mark.parametrize(
    ("output", "kind", "words"),
    [
        ("A fatal error occurred: This chip is ESP32, not ESP8266. Wrong chip argument?", FlashError, "ESP32"),
        ("A fatal error occurred: Could not open COM5, the port is busy or doesn't exist.\n(Access is denied.)\n",
         PortBusy, "Another program"),
        ("A fatal error occurred: Could not open /dev/x, the port is busy or doesn't exist.\n([Errno 13] Permission "
         "denied)", BridgeError, "may not open"),
        ("A fatal error occurred: Could not open /dev/x, the port is busy or doesn't exist.\n(Could not configure "
         "port: (25, 'Inappropriate ioctl for device'))", PortError, "is not a serial port"),
        ("A fatal error occurred: Could not open /dev/x, the port is busy or doesn't exist.\n([Errno 2] could not open "
         "port /dev/x: [Errno 2] No such file or directory)", PortNotFound, "There is no port"),
        ("A fatal error occurred: the port was lost: [Errno 5] Input/output error", PortLost, "same command again"),
        ("A fatal error occurred: MD5 of file does not match data in flash!", FlashError, "MD5 of file"),
        ("Serial port x:\nTraceback (most recent call last):\n  File\nValueError: out of range\n", FlashError,
         "esptool failed: ValueError: out of range. "),
        ("", FlashError, "said nothing"),
    ],
)  # fmt: skip
def test_esptools_last_words(output: str, kind: type[BridgeError], words: str) -> None:
    error = explain(output, "/dev/ttyUSB7")
    assert isinstance(error, kind) and words in str(error) and "/dev/ttyUSB7" in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("rfc2217://x:1 closed the connection", PortBusy, "hangs up at once. Another client probably has the port"),
        ("rfc2217://x:1 was lost: [Errno 104] Connection reset by peer", PortBusy, "Another client"),
        ("could not open port rfc2217://x:1: [Errno 111] Connection refused", PortNotFound, "Nobody listens at"),
        ("could not open port rfc2217://x:1: timed out", PortNotFound, "does not answer"),
        ("could not open port rfc2217://x:1: [Errno -2] Name or service not known", PortNotFound, "cannot be reached"),
        ("rfc2217://x:1 does not speak RFC 2217", PortError, "does not speak RFC 2217"),
        ("rfc2217://x:1 does not answer as an RFC 2217 server does", PortError, "does not answer as an RFC 2217"),
    ],
)
def test_a_server_that_gives_no_port(words: str, kind: type[BridgeError], said: str) -> None:
    output = f"A fatal error occurred: Could not open rfc2217://x:1, the port is busy or doesn't exist.\n({words})\n"
    error = explain(output, "rfc2217://x:1")
    assert type(error) is kind and said in str(error) and "Plug the board in" not in str(error)


def test_what_is_said_of_the_flash_is_true() -> None:
    for words in ("esptool gave up", "the port was lost: gone"):
        output = f"A fatal error occurred: {words}"
        assert "nothing has been written" in str(explain(output, "/dev/x"))
        assert "nothing has been written" not in str(explain(output, "/dev/x", half_written=True))


def test_what_to_press_is_the_boards_own() -> None:
    error = explain("A fatal error occurred: Failed to connect", "/dev/x", by_hand="Connect D3 to G.")
    assert str(error).endswith("try again: Connect D3 to G.") and "FLASH" not in str(error)


def test_results_are_no_last_words() -> None:
    assert "esptool failed: Comparing. " in str(explain(f'Comparing\n\n{MARK}{{"md5": "00"}}\n', "/dev/x"))
