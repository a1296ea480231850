"""Whatever a line does: every message arrives once and in order, or the session fails with a typed error in time.

Each kind of damage has its own share of bytes, drawn independently, each way. What is counted is the share of lines
over which everything arrived.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.errors import LinkTimeout
from bridge.wire.check import CheckKind
from tests.campaigns.exchange import Outcome, with_lua, with_python
from tests.campaigns.world import Mix

Exchange = Callable[..., Outcome]


def lua(version: str, kind: CheckKind) -> Exchange:
    return lambda *arguments: with_lua(version, kind, *arguments)


BOARDS: dict[str, Exchange] = {
    "python": with_python,
    "lua 5.1, ow": lua("5.1", CheckKind.CRC),
    "lua 5.1": lua("5.1", CheckKind.SUM),
    "lua 5.3, ow": lua("5.3", CheckKind.CRC),
    "lua 5.3": lua("5.3", CheckKind.SUM),
}

#: Of messages, in bytes.
LENGTHS = st.sampled_from([0, 1, 19, 20, 120, 240, 300, 700, 1300])


def mixes(top: float) -> st.SearchStrategy[Mix]:
    share = st.integers(0, 100).map(lambda percent: top * percent / 100)
    return st.builds(Mix, share, share, share, share, share)


def share_delivered(exchange: Exchange, top: float, examples: int, *, derandomize: bool, most: int = 6) -> float:
    """Play so many lines with shares of damage up to `top`; returns the share over which everything arrived.

    Args:
        exchange: the board's end.
        top: the highest share of bytes of each kind of damage.
        examples: how many lines, at least.
        derandomize: the same ones each time.
        most: messages each way over one line.
    """
    outcomes: list[bool] = []

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=derandomize, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(
        mixes(top),
        mixes(top),
        st.lists(LENGTHS, min_size=1, max_size=most),
        st.integers(0, 2**32 - 1),
        st.sampled_from([0.0, 0.001, 0.016]),
        st.booleans(),
    )
    def play(to_board: Mix, to_host: Mix, sizes: list[int], seed: int, latency: float, known: bool) -> None:
        outcomes.append(exchange(to_board, to_host, sizes, seed, latency, known).delivered)

    play()
    assert len(outcomes) >= examples
    share = sum(outcomes) / len(outcomes)
    print(f"{len(outcomes)} lines with up to {top:.1%} of each kind of damage: everything arrived over {share:.2%}")
    return share


@pytest.mark.parametrize("board", BOARDS)
def test_up_to_one_percent_everything_arrives(board: str) -> None:
    assert share_delivered(BOARDS[board], 0.01, 50, derandomize=True, most=3) >= 0.99


@pytest.mark.parametrize("board", BOARDS)
def test_up_to_five_percent_nothing_is_wrong_and_nothing_hangs(board: str) -> None:
    assert share_delivered(BOARDS[board], 0.05, 10, derandomize=True, most=2) > 0.0


def test_a_frame_that_is_too_long_for_its_line_is_given_up_though_each_try_is_answered() -> None:
    outcome = BOARDS["lua 5.1, ow"](Mix(0.033, 0.027, 0, 0, 0), Mix(0, 0, 0, 0, 0), [0], 0, 0.0, False)
    assert outcome.delivered or isinstance(outcome.error, LinkTimeout)


@pytest.mark.nightly
@pytest.mark.parametrize("board", BOARDS)
def test_up_to_one_percent_everything_arrives_in_thousands_of_examples(board: str) -> None:
    assert share_delivered(BOARDS[board], 0.01, 2000, derandomize=False) >= 0.99


@pytest.mark.nightly
@pytest.mark.parametrize("board", BOARDS)
def test_up_to_five_percent_nothing_is_wrong_in_hundreds_of_examples(board: str) -> None:
    assert share_delivered(BOARDS[board], 0.05, 400, derandomize=False) > 0.0
