from __future__ import annotations

from dataclasses import replace

from bridge.errors import BootLoop, LinkError, NotNodeMCU, ReplError
from bridge.provision.startup import not_back, unreachable, way_out
from tests.provision.plans import PLAN


def test_the_way_out_says_what_to_set_and_what_it_costs() -> None:
    assert "give the file `erase: true`" in way_out(PLAN) and "erases the whole flash" in way_out(PLAN)
    assert "flash --erase" in way_out(PLAN)
    assert "an `image` and `erase: true`" in way_out(replace(PLAN, image=[]))
    # It is set already: only the script is left to be corrected.
    assert "Correct its startup script and run this again" in way_out(replace(PLAN, erase=True))


def test_an_error_with_the_way_out_is_none_that_is_tried_again() -> None:
    loop = BootLoop("The board restarts again and again, 3 times within 4 s", port="x")
    error = unreachable(loop, PLAN)
    assert isinstance(error, ReplError) and not isinstance(error, LinkError)
    assert error.message == loop.message and str(loop.remedy) in str(error) and way_out(PLAN) in str(error)
    assert way_out(PLAN) in str(unreachable(NotNodeMCU("Nothing answers", port="x"), PLAN))


def test_the_script_is_named() -> None:
    error = not_back(BootLoop("It restarts again and again", port="x"), replace(PLAN, startup_from="src/start.lua"))
    assert "does not come back with src/start.lua as its init.lua: It restarts" in str(error)
    assert not isinstance(error, LinkError) and way_out(PLAN) in str(error)
    assert "does not come back: It restarts" in str(
        not_back(BootLoop("It restarts again and again", port="x"), replace(PLAN, startup=None))
    )
