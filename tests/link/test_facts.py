import dataclasses

import pytest

from bridge.link import AgentFacts


def test_facts_are_facts() -> None:
    facts = AgentFacts("5.1", "float", ("net", "node"), 40000, 28000, "crc", "01234567", 0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.lua = "5.3"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ((1, 0), "power on"), ((2, 6), "external reset"), ((4, 3), "software watchdog"), ((2, 4), "software restart"),
        ((2, 2), "exception"), ((7, 9), "boot reason 7, 9"), (None, None),
    ],
)  # fmt: skip
def test_the_reason_of_a_boot_in_words(reason: tuple[int, int] | None, cause: str | None) -> None:
    facts = AgentFacts("5.1", "float", (), 40000, 28000, "crc", "01234567", 0.0, boot_reason=reason)
    assert facts.boot_cause == cause
