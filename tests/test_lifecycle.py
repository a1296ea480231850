from __future__ import annotations

import itertools

import pytest

from bridge.errors import LocalProtocolError
from bridge.lifecycle import TRANSITIONS, State, Trigger, move


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
