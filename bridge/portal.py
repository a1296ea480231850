"""A background event loop for programs that do not have one, and a thread for their callbacks.

There is one of each per process, started when first used. Callbacks have a thread of their own so that they may
call back into the board; on the loop's thread such a call would wait for itself.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import queue
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bridge.errors import UsageError

T = TypeVar("T")

_Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]
#: Seconds that the end of the program waits for boards to give their prompts back.
EXIT_TIMEOUT = 5.0
#: Seconds that an interrupt waits for what it interrupts to put things in order: to remove half a file, say.
ORDER_TIMEOUT = 5.0


class Portal:
    """The door between threads and the background loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        #: Jobs for the callback thread while it waits in `call`; None while it does not.
        self._inner: queue.SimpleQueue[_Job | None] | None = None
        self._choice = threading.Lock()
        self._closers: list[Callable[[], Coroutine[Any, Any, None]]] = []
        # Daemons: threads that are not would be waited for before `atexit` could stop them.
        self._loop_thread = threading.Thread(target=self._run_loop, name="bridge-loop", daemon=True)
        self._callback_thread = threading.Thread(target=self._run_callbacks, name="bridge-callbacks", daemon=True)
        running = threading.Event()
        self.loop.call_soon(running.set)
        self._loop_thread.start()
        self._callback_thread.start()
        running.wait()
        atexit.register(self.stop)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it; an interrupt (Ctrl-C) cancels it, and waits until it has ended.

        Raises:
            UsageError: called from the loop's own thread, or the portal is closed.
        """
        if threading.current_thread() is self._loop_thread:
            work.close()
            raise UsageError(
                "bridge.sync was called on its own event loop", remedy="Use the asyncio classes in coroutines."
            )
        if not self.loop.is_running():
            work.close()
            raise UsageError("bridge.sync is closed: the program is ending")
        if threading.current_thread() is self._callback_thread:
            return self._call_within(work)
        outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
        tasks: list[asyncio.Task[T]] = []
        try:
            # In here, as the interrupt may come in the moment in which it begins.
            self._begin(work, outcome, tasks)
            return outcome.result()
        except BaseException:
            if not outcome.done():
                self.loop.call_soon_threadsafe(_cancel, work, outcome, tasks)
                concurrent.futures.wait([outcome], ORDER_TIMEOUT)
            raise

    def _begin(
        self, work: Coroutine[Any, Any, T], outcome: concurrent.futures.Future[T], tasks: list[asyncio.Task[T]]
    ) -> None:
        """Start a coroutine on the loop.

        Args:
            work: the coroutine.
            outcome: has its outcome when it has ended. (That of `run_coroutine_threadsafe` has one as soon as it is
                cancelled, while the coroutine still puts things in order.)
            tasks: gets the task.
        """

        def begin() -> None:
            tasks.append(task := self.loop.create_task(work))
            task.add_done_callback(lambda _: _pass_on(task, outcome))

        self.loop.call_soon_threadsafe(begin)

    def _call_within(self, work: Coroutine[Any, Any, T]) -> T:
        # A callback waits, perhaps for Lua that asks a function meanwhile: that one runs here, as nothing else will.
        jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        with self._choice:
            outer, self._inner = self._inner, jobs
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._begin(work, future, [])
        future.add_done_callback(lambda done: jobs.put(None))
        try:
            while (job := jobs.get()) is not None:
                self._do(*job)
            return future.result()
        finally:
            with self._choice:
                self._inner = outer
                while not jobs.empty():
                    if (late := jobs.get()) is not None:
                        self._jobs.put(late)

    async def callback(self, function: Callable[..., T], *values: Any, asked: bool = False) -> T:
        """Run a function on the callback thread; called on the loop.

        Args:
            function: what to run.
            values: its arguments.
            asked: somebody waits for its result who may hold up the `call` that the callback thread waits in: then it
                runs within that call.
        """
        result: asyncio.Future[T] = self.loop.create_future()
        with self._choice:
            jobs = self._inner if asked and self._inner is not None else self._jobs
            jobs.put((function, values, result))
        return await result

    def post(self, function: Callable[..., object], *values: Any) -> None:
        """Run a function on the callback thread and wait for nothing; an error in it is logged by the loop."""
        self._jobs.put((function, values, self.loop.create_future()))

    def at_exit(self, closer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run this before the loop stops."""
        self._closers.append(closer)

    def forget(self, closer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Take an `at_exit` back."""
        if closer in self._closers:
            self._closers.remove(closer)

    def stop(self) -> None:
        """Close what is open and end both threads; runs by itself when the program ends."""
        if not self.loop.is_running():
            return
        closers, self._closers = self._closers, []

        async def finish() -> None:
            await asyncio.wait_for(
                asyncio.gather(*(closer() for closer in closers), return_exceptions=True), EXIT_TIMEOUT
            )

        try:
            self.call(finish())
        except TimeoutError:
            pass
        finally:
            self._jobs.put(None)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._loop_thread.join(EXIT_TIMEOUT)
            self._callback_thread.join(EXIT_TIMEOUT)
            atexit.unregister(self.stop)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            while tasks := asyncio.all_tasks(self.loop):  # more than once: a thread may have begun something meanwhile
                for task in tasks:
                    task.cancel()
                self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()

    def _run_callbacks(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._do(*job):
                return
            del job  # not kept while waiting for the next one: values may hold the last reference to a handle

    def _do(self, function: Callable[..., Any], values: tuple[Any, ...], future: asyncio.Future[Any]) -> bool:
        """Run a job; False if the loop is closed, and nobody waits any more."""
        try:
            result, error = function(*values), None
        except Exception as raised:
            result, error = None, raised
        except BaseException as raised:  # sys.exit() in a handler ends neither this thread nor the loop
            result, error = None, RuntimeError(f"a handler raised {raised!r}")
        try:
            self.loop.call_soon_threadsafe(_settle, future, result, error)
        except RuntimeError:
            return False
        return True


def _settle(future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _cancel(work: Coroutine[Any, Any, T], outcome: concurrent.futures.Future[T], tasks: list[asyncio.Task[T]]) -> None:
    """Cancel what `Portal._begin` was to start, if it had the time."""
    if tasks:
        tasks[0].cancel()
    else:
        work.close()
        outcome.cancel()


def _pass_on(task: asyncio.Task[T], outcome: concurrent.futures.Future[T]) -> None:
    if task.cancelled():
        outcome.cancel()
        outcome.set_running_or_notify_cancel()
    elif (error := task.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())


_portal: Portal | None = None
_lock = threading.Lock()
#: This process was made by a fork of one that had a portal.
_forked = False


def portal() -> Portal:
    """The process's portal, started if it is not.

    Raises:
        UsageError: this process is a fork of one that has a portal: the threads are that one's.
    """
    global _portal
    if _forked:
        raise UsageError(
            "bridge.sync was in use before this process was forked, and the boards are the other one's",
            remedy='Start processes by the method "spawn", or open boards only after the fork.',
        )
    with _lock:
        if _portal is None or not _portal.loop.is_running() and _portal.loop.is_closed():
            _portal = Portal()
        return _portal


def _in_child() -> None:
    # Without its threads whoever calls the portal would wait for ever, and so would the end of the process.
    global _forked
    if _portal is not None:
        _forked = True
        atexit.unregister(_portal.stop)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
