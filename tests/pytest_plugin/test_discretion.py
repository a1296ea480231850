from __future__ import annotations

import json
from urllib.parse import quote

from bridge.pytest_plugin.discretion import Discretion

KEY = "QXZJVWK\"#h'ünter\\n"


def test_what_reads_like_a_secret_is_blanked_and_the_rest_stays() -> None:
    discretion = Discretion()
    assert discretion.text("pwd = 'abc'; x = 1 \ud800") == "pwd = '***'; x = 1 \\ud800"
    assert discretion.text("virtual:?wifi=home:hunter2&cpu=0") == "virtual:?wifi=home:*******&cpu=0"
    assert discretion.text("nothing") == "nothing"
    assert discretion.users_text("pwd = 'abc'") == "pwd = 'abc'"
    assert discretion.console(b"pwd = 'abc'\r\n") == "pwd = '***'\n"


def test_a_secret_is_found_however_it_is_quoted() -> None:
    discretion = Discretion([KEY])
    for form in (KEY, repr(KEY), repr(KEY.encode()), ascii(KEY), json.dumps(KEY), quote(KEY)):
        for blanked in (discretion.text(form), discretion.users_text(form)):
            assert "QXZJVWK" not in blanked and "nter" not in blanked and len(blanked) == len(form), form
    assert KEY not in discretion.console(f"= {KEY}".encode())
