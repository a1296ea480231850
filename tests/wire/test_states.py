from bridge.wire.states import TRANSITIONS, State, Trigger


def test_a_session_that_is_over_can_only_be_closed() -> None:
    for over in (State.CLOSED, State.FAILED):
        assert {trigger for state, trigger in TRANSITIONS if state is over} == {Trigger.CLOSE}


def test_it_can_be_closed_from_everywhere_and_opens_by_what_is_heard_alone() -> None:
    assert {TRANSITIONS[state, Trigger.CLOSE] for state in State} == {State.CLOSED}
    into = {(state, trigger) for (state, trigger), after in TRANSITIONS.items() if after is State.OPEN}
    assert {trigger for state, trigger in into if state is not State.OPEN} == {Trigger.HEARD}
