"""`nodemcu-bridge bench`; what is measured is tested in tests/bench."""

from __future__ import annotations

import json

import pytest

from tests.bench.test_measure import KEYS, at
from tests.cli.invoke import invoke

QUICK = ("bench", "--quick", "--no-host")


@pytest.mark.nightly
def test_json_is_a_list_of_runs_with_a_number_under_every_key(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, *QUICK, "--baud", "115200", "--latency", "1,16", "--seed", "5", "--json")
    assert code == 0
    assert err.splitlines() == ["seed 5", "measuring 115200 baud, 1 ms", "measuring 115200 baud, 16 ms"]
    runs = json.loads(out)
    assert [(run["baud"], run["adapter_latency_ms"]) for run in runs] == [(115_200, 1.0), (115_200, 16.0)]
    for run in runs:
        for key in KEYS:
            assert isinstance(at(run, key), int | float), key
    assert runs[0]["call"]["round_trip_ms_p50"] < runs[1]["call"]["round_trip_ms_p50"]


@pytest.mark.nightly
def test_a_table_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, *QUICK, "--rows", "921600/1")
    assert code == 0 and err.startswith("seed 1\n")
    assert "921600 baud" in out and "payload to the board" in out and "heap of the agent" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rows", "115200"), "115200 is not baud/latency"),
        (("--baud", "fast"), "fast is not a speed"),
        (("--latency", "-1"), "-1 is not a latency timer"),
        (("--rows", "115200/1", "--baud", "115200"), "--rows says all"),
        (("--against", "miniterm"), "miniterm is not a program"),
        (("--port", "/dev/nobody", "--latency", "1"), "cannot be chosen here"),
        (("--port", "virtual:?colour=red"), "colour is not an option"),
        (("--cpu", "inf"), "cpu=inf"),
        (("--port", "virtual://[half"), "is not a virtual board's URL"),
        (("--trace", "/"), "/ cannot be written"),
        (("--rows", "115200/1", "--trace", "/"), "/ cannot be written"),
    ],
)
def test_wrong_use_is_one_sentence(capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    code, out, err = invoke(capfd, *QUICK, *arguments)
    assert (code, out) == (2, "")
    assert said in err and err.count("nodemcu-bridge: ") == 1 and "Traceback" not in err


def test_a_port_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, *QUICK, "--port", "/dev/nobody")
    assert (code, out) == (1, "") and "/dev/nobody" in err.splitlines()[-1]
