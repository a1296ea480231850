from __future__ import annotations

import pytest

from bridge.errors import BridgeError, FlashError, PortBusy, PortLost
from bridge.flashing.output import KEPT, FlashProgress, Reader, explain


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
        ("A fatal error occurred: the port was lost: [Errno 5] Input/output error", PortLost, "same command again"),
        ("A fatal error occurred: MD5 of file does not match data in flash!", FlashError, "MD5 of file"),
        ("Traceback (most recent call last):\n", FlashError, "esptool failed"),
        ("", FlashError, "said nothing"),
    ],
)  # fmt: skip
def test_esptools_last_words(output: str, kind: type[BridgeError], words: str) -> None:
    error = explain(output, "/dev/ttyUSB7")
    assert isinstance(error, kind) and words in str(error) and "/dev/ttyUSB7" in str(error)
    assert "\n" not in str(error)
