from __future__ import annotations

from bridge.rack_report import BoardReport, Collector, Evidence, Phase
from bridge.rack_report.boards import boards
from tests.rack_report.runs import made_run


def test_boards_that_are_not_well_come_first_with_what_was_seen() -> None:
    run = made_run(4, 60)
    cards = boards(run, {number: f"t{number}" for number in range(len(run.tests))})
    names = ["".join(card.find("h3/span").itertext()) for card in cards]  # type: ignore[union-attr]
    assert names == ["shelf-4", "shelf-3", "shelf-1", "shelf-2"]
    assert ["".join(card.itertext()).count("The board does not answer") for card in cards] == [1, 0, 0, 0]
    assert (cards[0].find(".//ul//a").get("href") or "").startswith("#t")  # type: ignore[union-attr]


def test_a_board_says_what_it_is_and_what_it_did() -> None:
    words = " ".join(boards(made_run(1, 3), {})[0].itertext())
    for each in ("shelf-1", "rfc2217://127.0.0.1:4001", "5c:cf:7f:5e:00:01", "NodeMCU 3.0.0", "healthy", "lowest free"):
        assert each in words


def test_a_board_without_tests_and_with_much_evidence() -> None:
    collector = Collector(0.0)
    evidence = [Evidence(said=f"Failure {number}.") for number in range(50)]
    collector.add_board(BoardReport(place="a", state="quarantined", evidence=evidence))
    [card] = boards(collector.report(1.0), {})
    words = "".join(card.itertext())
    assert "ran no test" in words and "Failure 5." in words and "Failure 6." not in words and "and 44 more" in words


def test_the_curve_of_a_run_keeps_its_lowest_point() -> None:
    collector = Collector(0.0)
    for number in range(100):
        heap = [[at / 100, 40_000 if number != 70 or at != 33 else 77] for at in range(100)]
        collector.add(Phase(f"t{number}", "call", "passed", float(number), 1.0, attached={"place": "a", "heap": heap}))
    [card] = boards(collector.report(100.0), {})
    assert "lowest free heap 77 bytes" in card.itertext()
    assert len((card.find(".//polyline").get("points") or "").split()) <= 300  # type: ignore[union-attr]


def test_while_nobody_looks_there_is_no_curve() -> None:
    collector = Collector(0.0)
    for name, at in (("a", 0.0), ("b", 1.01), ("c", 8.0)):
        told = {"place": "p", "heap": [[0.0, 40_000], [0.9, 39_000]]}
        collector.add(Phase(name, "call", "passed", at, 1.0, attached=told))
    [card] = boards(collector.report(10.0), {})
    assert [len((each.get("points") or "").split()) for each in card.iter("polyline")] == [4, 2]
