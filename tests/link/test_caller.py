import inspect

from bridge.link import CALL_TIMEOUT, Caller, Link


def test_a_link_is_a_caller() -> None:
    for name, member in vars(Caller).items():
        if name.startswith("_") or not inspect.isfunction(member):
            continue
        assert inspect.signature(getattr(Link, name)) == inspect.signature(member), name


def test_the_default_deadline_is_longer_than_the_links_own() -> None:
    from bridge.wire.liveness import SILENCE_LIMIT

    assert CALL_TIMEOUT > SILENCE_LIMIT
