"""Tests and fixtures that are coroutines, for pytest, which knows none."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from bridge.portal import portal


def without_await(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for a coroutine function, a generator for an asynchronous one; it runs on the loop of the boards."""
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        def generator(*arguments: Any, **named: Any) -> Iterator[Any]:
            made = function(*arguments, **named)
            yield portal().call(anext(made))
            try:
                portal().call(anext(made))
            except StopAsyncIteration:
                return
            raise RuntimeError(f"The fixture {function.__qualname__} yields more than once")

        return generator

    @functools.wraps(function)
    def plain(*arguments: Any, **named: Any) -> Any:
        return portal().call(function(*arguments, **named))

    return plain
