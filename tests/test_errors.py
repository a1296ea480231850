"""bridge/errors.py: one tree, one sentence, facts as attributes."""

from __future__ import annotations

import copy
import errno
import inspect
import socket

import pytest

from bridge import errors
from bridge.errors import (
    ArgumentRefused,
    BoardReset,
    BootLoop,
    BridgeError,
    ConnectionAborted,
    ConnectionLost,
    ConnectionReset,
    ConnectRefused,
    DNSFailed,
    ImageError,
    LinkTimeout,
    ListenRefused,
    LuaError,
    NetError,
    NetTimeout,
    PortLost,
    PortNotFound,
    UsageError,
)

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__]


@pytest.mark.parametrize("each", CLASSES)
def test_every_error_hangs_on_the_one_root_and_is_drawn_in_the_tree(each: type) -> None:
    assert issubclass(each, BridgeError)
    assert each.__name__ in (errors.__doc__ or "")


def test_a_message_names_the_port_says_what_happened_and_what_to_do() -> None:
    error = PortNotFound("There is no such port", port="/dev/ttyUSB0", remedy="Plug the board in.")
    assert str(error) == "/dev/ttyUSB0: There is no such port. Plug the board in."
    assert (error.port, error.remedy) == ("/dev/ttyUSB0", "Plug the board in.")


def test_the_port_is_not_named_twice() -> None:
    assert str(BridgeError("COM5 is busy", port="COM5")) == "COM5 is busy."


def test_exit_codes_tell_wrong_use_from_failure() -> None:
    assert (BridgeError("x").exit_code, UsageError("x").exit_code, ImageError("x").exit_code) == (1, 2, 2)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (LinkTimeout("x"), TimeoutError),
        (PortLost("x"), ConnectionError),
        (ArgumentRefused("x"), ValueError),
        (DNSFailed("x"), socket.gaierror),
        (ConnectRefused("x"), ConnectionRefusedError),
        (ListenRefused("x"), OSError),
        (NetTimeout("x"), TimeoutError),
        (ConnectionLost("x"), ConnectionError),
        (ConnectionReset("x"), ConnectionResetError),
        (ConnectionAborted("x"), ConnectionAbortedError),
    ],
)
def test_errors_are_also_what_callers_already_catch(error: BridgeError, builtin: type[Exception]) -> None:
    assert isinstance(error, builtin)


def test_a_reset_carries_its_cause() -> None:
    error = BoardReset(cause="external reset", port="virtual:")
    assert error.cause == "external reset"
    assert str(error).startswith("virtual: The board restarted (external reset).")


@pytest.mark.parametrize("each", CLASSES)
def test_every_error_can_be_copied_for_each_who_waits(each: type[BridgeError]) -> None:
    error = each("it is so", port="COM5")
    again = copy.copy(error)
    assert type(again) is each and str(again) == str(error) and vars(again) == vars(error)


def test_a_boot_loop_is_a_reset_with_another_remedy() -> None:
    error = BootLoop(cause="rst cause 4", port="COM5")
    assert str(error).startswith("COM5: The board restarts again and again (rst cause 4). Look at its power supply")
    assert isinstance(error, BoardReset) and str(copy.copy(error)) == str(error)


def test_a_lua_error_keeps_the_boards_text() -> None:
    error = LuaError("stdin:1: boom", traceback="stack traceback:")
    assert (error.text, error.traceback) == ("stdin:1: boom", "stack traceback:")


def test_a_net_error_keeps_the_code() -> None:
    assert NetError("reset by peer", code=-9).code == -9


@pytest.mark.parametrize(
    ("each", "number"),
    [
        (DNSFailed, socket.EAI_NONAME),
        (ConnectRefused, errno.ECONNREFUSED),
        (ListenRefused, errno.EADDRINUSE),
        (NetTimeout, errno.ETIMEDOUT),
        (ConnectionReset, errno.ECONNRESET),
        (ConnectionAborted, errno.ECONNABORTED),
    ],
)
def test_errors_of_the_network_carry_the_systems_number(each: type[NetError], number: int) -> None:
    error = each("it is so", port="COM5", code=-9)
    assert isinstance(error, OSError)
    assert (error.errno, error.strerror, error.code) == (number, "it is so", -9)
    assert str(error) == "COM5: it is so."


def test_the_text_of_a_lua_error_stays_as_the_board_wrote_it() -> None:
    assert str(LuaError("stdin:1: boom", port="/dev/ttyUSB0")) == "/dev/ttyUSB0: stdin:1: boom"
