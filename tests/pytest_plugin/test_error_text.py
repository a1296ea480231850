from __future__ import annotations

from bridge.pytest_plugin.error_text import uncaught_errors

#: As the virtual board prints them, which is how the recordings have them.
TRACED = (
    b"hello\r\nt12:1: attempt to index a nil value\r\nstack traceback:\r\n\tt12:1: in function <t12:1>\r\nand on\r\n"
)
WITHOUT_PLACE = (
    b"boo\r\nstack traceback:\r\n\t[C]: in function 'error'\r\n\tblink.lua:7: in function 'go'\r\n"
    b"\tt3w1:1: in function <t3w1:1>\r\n"
)
PANIC = b"PANIC: unprotected error in call to Lua API (t9:1: in net cb)\r\n"


def test_a_callbacks_error_names_its_chunk() -> None:
    (error,) = uncaught_errors(TRACED)
    assert (error.message, error.chunks, error.panic) == ("t12:1: attempt to index a nil value", ("t12",), False)


def test_chunks_come_from_the_frames_the_innermost_first() -> None:
    (error,) = uncaught_errors(WITHOUT_PLACE)
    assert (error.message, error.chunks) == ("boo", ("blink.lua", "t3w1"))


def test_a_panic_has_its_message_alone() -> None:
    (error,) = uncaught_errors(PANIC)
    assert (error.message, error.chunks, error.panic) == ("t9:1: in net cb", ("t9",), True)


def test_several_stand_in_their_order_and_other_text_is_none() -> None:
    assert [error.panic for error in uncaught_errors(PANIC + TRACED + PANIC)] == [True, False, True]
    assert uncaught_errors(b"Lua error: \tstdin:1: oops\r\n> print('PANIC')\r\nPANIC\r\n") == []


def test_a_prompt_before_the_message_is_none_of_it() -> None:
    (error,) = uncaught_errors(b"> \n> " + TRACED.removeprefix(b"hello\r\n"))
    assert (error.message, error.chunks) == ("t12:1: attempt to index a nil value", ("t12",))
