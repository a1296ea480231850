"""Checks JUnit files against the project's schema."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.test_layers import ROOT

#: What a test that ran on a board tells of it.
NAMES = {"place", "port", "mac", "firmware", "heap_before", "heap_after", "charged_to"}


def check_junit(path: Path) -> list[ElementTree.Element]:
    """Make sure that a file is what schemas/junit.xsd says; returns its test cases."""
    cases = list(ElementTree.parse(path).iter("testcase"))
    for case in cases:
        names = [each.get("name") for each in case.iter("property")]
        assert {*names} <= NAMES, names
    try:
        import xmlschema
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("xmlschema is not installed")
    xmlschema.XMLSchema(str(ROOT / "schemas" / "junit.xsd")).validate(str(path))
    return cases
