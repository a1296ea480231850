from __future__ import annotations

import itertools

import pytest

from bridge.errors import LinkError, LinkTimeout, LocalProtocolError, PortLost, UsageError
from bridge.lifecycle import TRANSITIONS, State, Trigger, move, why_not_ready


@pytest.mark.parametrize(("state", "trigger"), list(itertools.product(State, Trigger)))
def test_every_pair_is_either_in_the_table_or_a_mistake(state: State, trigger: Trigger) -> None:
    if (state, trigger) in TRANSITIONS:
        assert move(state, trigger) is TRANSITIONS[state, trigger]
    else:
        with pytest.raises(LocalProtocolError, match=state.name.lower()):
            move(state, trigger)


def test_every_state_can_be_reached_and_left_for_closed() -> None:
    reached, todo = {State.NEW}, [State.NEW]
    while todo:
        state = todo.pop()
        for (before, _), after in TRANSITIONS.items():
            if before is state and after not in reached:
                reached.add(after)
                todo.append(after)
    assert reached == set(State)
    for state in set(State) - {State.CLOSING, State.CLOSED}:
        assert move(move(state, Trigger.CLOSE), Trigger.GONE) is State.CLOSED


def test_why_a_board_cannot_be_used_says_where_it_is_in_its_life() -> None:
    reason = LinkTimeout("It fell silent", port="COM9")
    lost = why_not_ready(State.LOST, reason, "COM9")
    assert isinstance(lost, LinkTimeout) and lost is not reason and lost.__cause__ is reason
    for state, kind, words in (
        (State.RESTARTING, LinkError, "restarting"),
        (State.CLOSING, PortLost, "closed"),
        (State.CLOSED, PortLost, "closed"),
        (State.NEW, UsageError, "not been opened"),
    ):
        found = why_not_ready(state, None, "COM9")
        assert isinstance(found, kind) and words in str(found)
