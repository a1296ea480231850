from hypothesis import given
from hypothesis import strategies as st

from bridge.ntest.naming import WHOLE, Names, plain


def test_a_name_that_comes_again_gets_a_number_that_nothing_else_has() -> None:
    names = Names()
    found = [names.own(name) for name in ("x", "x", "x (2)", "x", "", WHOLE)]
    assert found == ["x", "x (2)", "x (2) (2)", "x (3)", "(no name)", f"{WHOLE} (2)"]


@given(st.lists(st.sampled_from(["", "x", "x (2)", "x (2) (2)", "x (3)", WHOLE])))
def test_no_two_are_the_same(given_names: list[str]) -> None:
    names = Names()
    found = [names.own(name) for name in given_names]
    assert len({*found, WHOLE}) == len(found) + 1


def test_what_the_reporter_writes_out_is_read_back() -> None:
    assert plain("two\\010lines, C:\\092bin\\000\\127") == "two\nlines, C:\\bin\0\x7f"
    assert plain("C:\\bin \\12") == "C:\\bin \\12"
