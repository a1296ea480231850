from bridge.rack_report.phase import read_attached


def test_what_is_unknown_is_nothing_and_what_is_wrong_is_said() -> None:
    told = read_attached({"place": "p", "heap": [[0.0, 40_000]], "kinds": ["of", "later"]})
    assert (told.place, told.heap, told.finding) == ("p", [(0.0, 40_000)], None)
    wrong = read_attached({"place": "p", "heap": "much"})
    assert wrong.place == "p" and wrong.finding is not None and "heap is not what it should be" in wrong.finding
