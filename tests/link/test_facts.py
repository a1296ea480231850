import dataclasses

import pytest

from bridge.link import AgentFacts


def test_facts_are_facts() -> None:
    facts = AgentFacts("5.1", "float", ("net", "node"), 40000, 28000, "crc", "01234567", 0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.lua = "5.3"  # type: ignore[misc]
