"""Failures that are one sentence. This module is loaded in every run of pytest."""

from __future__ import annotations

import pytest


def failed(text: str) -> BaseException:
    """What to raise, so that a test fails by a sentence alone: `raise failed(…) from None`.

    `pytest.fail` shows also the error that it is called for.
    """
    return pytest.fail.Exception(text, pytrace=False)
