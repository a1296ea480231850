"""Tests and fixtures that are coroutines, for pytest, which knows none."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator
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


def on_the_loop(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A coroutine function for any loop of asyncio; what it stands for runs on the loop of the boards."""

    @functools.wraps(function)
    async def there(*arguments: Any, **named: Any) -> Any:
        work = asyncio.run_coroutine_threadsafe(function(*arguments, **named), portal().loop)
        return await asyncio.wrap_future(work)

    return there


def of_instance(function: Callable[..., Any], instance: object) -> Callable[..., Any]:
    """A fixture's function for the object of a test's class: pytest has bound it to one that stands for all of them."""
    if instance is not None and inspect.ismethod(function) and isinstance(instance, type(function.__self__)):
        return function.__func__.__get__(instance)  # type: ignore[no-any-return]
    return function
