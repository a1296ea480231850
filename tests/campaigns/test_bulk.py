"""Many bytes over a bad line: none wrong, and no damaged frame taken for a frame."""

from __future__ import annotations

import pytest

from bridge.wire.check import CheckKind
from tests.campaigns.bulk import MIX, run
from tests.campaigns.world import Mix


@pytest.mark.parametrize(("version", "kind"), [("5.1", CheckKind.CRC), ("5.3", CheckKind.SUM)])
def test_a_hundred_thousand_bytes_each_way(version: str, kind: CheckKind) -> None:
    report = run(100_000, 3, MIX, version, kind)
    print(report)
    assert (report.error, report.wrong, report.undetected) == ("", 0, 0)
    assert all(line.counts["damaged"] > 20 for line in report.lines)


@pytest.mark.nightly
@pytest.mark.timeout(5 * 3600)
def test_a_hundred_megabytes_each_way() -> None:
    report = run(100_000_000, 1)
    print(report)
    assert (report.error, report.wrong, report.undetected) == ("", 0, 0)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("version", "kind"), [("5.1", CheckKind.SUM), ("5.3", CheckKind.CRC), ("5.3", CheckKind.SUM)])
def test_five_megabytes_each_way_with_the_other_versions_and_checks(version: str, kind: CheckKind) -> None:
    report = run(5_000_000, 2, MIX, version, kind)
    print(report)
    assert (report.error, report.wrong, report.undetected) == ("", 0, 0)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_megabyte_over_a_line_that_damages_one_byte_in_two_hundred() -> None:
    report = run(1_000_000, 4, Mix(drop=0.002, flip=0.002, duplicate=0.001, delay=0.0005, busy=0.0005))
    print(report)
    assert (report.error, report.wrong, report.undetected) == ("", 0, 0)
