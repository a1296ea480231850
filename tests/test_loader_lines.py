from bridge.loader_lines import LONGEST, answer_to, cut, joined, prompt_line, raw_line
from bridge.wire.check import hash24

ODD = b'a"b\\c\r\n\0\xff9'


def test_quoting_leaves_nothing_that_ends_a_string_or_a_line() -> None:
    assert prompt_line(1, ODD) == b'_nb.C(1,"a\\034b\\092c\\013\\010\\000\\2559",%d)' % hash24(ODD, 1)
    assert raw_line(7, ODD) == b'7 %d a"b\\092c\\013\\010\\000\\2559' % hash24(ODD, 7)


def test_a_piece_of_another_place_has_another_answer() -> None:
    assert answer_to(1, b"x") != answer_to(2, b"x")


def test_pieces_fit_a_line_however_much_is_to_be_escaped() -> None:
    assert cut(b"x" * 300, 120) == b"x" * 120
    odd = cut(ODD * 50, 200)
    assert odd and len(prompt_line(5000, odd)) < LONGEST + 40


def test_ranges_that_touch_become_one() -> None:
    assert joined([(0, 5), (5, 9), (12, 13), (13, 20)]) == [(0, 9), (12, 20)]
    assert joined([]) == []
