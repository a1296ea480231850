import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ntest.outline import read_outline


def test_names_that_are_written_out_are_found_in_order() -> None:
    source = """
    local N = ...
    N = (N or require "NTest")("run")
    N.test('first', function() ok(true) end)
    N.testasync ( "a \\"second\\" \\65\\n", function(done) done() end)
    N.testco([[
third]], function() end)
    N.test([==[four]]th]==], function() end)
    """
    assert read_outline(source).names == ("first", 'a "second" A\n', "third", "four]]th")


def test_each_has_the_line_on_which_it_stands() -> None:
    source = "--[[\n\n]] local s = [[\n]]\nN.test('a', f) N.test(\n'b', f)\n\nN.testco('c', f)"
    assert read_outline(source).lines == (5, 6, 8)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (r"\195\188", "\u00fc"), (r"\xc3\xbc", "\u00fc"), (r"\u{fc}", "\u00fc"), (r"a\z   b", "ab"),
        (r"\0\10\\\"", '\0\n\\"'),
        (r"\xzz", "xzz"), (r"\255", "\ufffd"), (r"\999", "\ufffd"), (r"\u{110000}", "\U0010ffff"),
    ],
)  # fmt: skip
def test_escapes_stand_for_bytes(written: str, name: str) -> None:
    assert read_outline(f'N.test("{written}", f)').names == (name,)


@pytest.mark.parametrize(
    "source",
    [
        "-- N.test('x', f)",
        "--[[ N.test('x', f) ]]",
        "--[==[ N.test('x', f) ]] N.test('y', f) ]==]",
        "print([[ N.test('x', f) ]])",
        "print(\"N.test('x', f)\")",
        "N.test('x' .. i, f)",
        "N.test(name, f)",
        "N.testing('x', f)",
        "test('x', f)",
        "N.test('x')",
    ],
)
def test_what_is_no_sub_test_with_a_name(source: str) -> None:
    assert read_outline(source).names == ()


def test_what_board_it_wants() -> None:
    source = "-- board: modules=file,tmr tags=wired\n-- board: modules=net flash=4194304\n-- a board: x=y\n"
    assert read_outline(source).wants == {
        "modules": ("file", "tmr", "net"),
        "tags": ("wired",),
        "flash": ("4194304",),
    }


@given(st.text())
def test_any_source_has_an_outline(source: str) -> None:
    read_outline(source)
    assert read_outline(f"N.test('x', f)\n{source}").names[:1] == ("x",)
