"""labgrid's strategy for a board: off → flashed → agent.

In an environment file of labgrid:

    targets:
      main:
        resources:
          RemotePlace: {name: shelf-1}
        drivers:
          NodeMCUDriver: {}
          NodeMCUStrategy: {image: firmware}
    images: {firmware: nodemcu-3.0.0.bin}
    imports: [bridge.labgrid_place.strategy]
"""

from __future__ import annotations

from pathlib import Path

import attr
from labgrid.factory import target_factory
from labgrid.protocol import PowerProtocol
from labgrid.strategy import GraphStrategy, StrategyError, never_retry

from bridge.firmware.catalog import load_images
from bridge.image import ImagePart
from bridge.labgrid_place.driver import NodeMCUDriver


@target_factory.reg_driver
@attr.s(eq=False)
class NodeMCUStrategy(GraphStrategy):
    """Brings a board to a known state. A transition that fails is not tried again (`never_retry`): the board needs
    somebody who looks, and labgrid's pytest plugin skips the tests that would need it.

    States:
        off: no driver is active; the board has no power where a power driver is bound.
        flashed: the board has power, or was reset by its lines, runs the image, and answers at its prompt. Without an
            image: whatever NodeMCU is on it, with the modules that its place promises.
        agent: `NodeMCUDriver.board` is open.

    Bindings:
        driver: of the board.
        power: labgrid's driver for its power, or none. It stands before the strategy in the file.

    Args:
        image: name of an image of the environment file (`images:`), a file, or a name of the catalog; empty: none.
        reset: without a power driver, reset the board by its lines on the way to `flashed`.
    """

    bindings = {"driver": NodeMCUDriver, "power": {"PowerProtocol", None}}

    image: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    reset: bool = attr.ib(default=True, validator=attr.validators.instance_of(bool))

    @never_retry
    def transition(self, state: str, via: list[str] | None = None) -> list[str]:
        """Go to a state; what lies between it and the present one is gone through.

        Raises:
            StrategyError: it could not be reached, now or at an earlier try; its cause says why.
        """
        return super().transition(state, via=via)  # type: ignore[no-any-return]

    @never_retry
    def force(self, state: str) -> None:
        """Take the board to be in a state, without doing anything to it.

        Raises:
            StrategyError: there is no such state.
        """
        if state not in self.states:
            raise StrategyError(f"There is no state {state}: there are {', '.join(self.states)}")
        if state != self.root_state:
            self.target.activate(self.driver)
        self.path = self.find_abs_path(state)

    def state_off(self) -> None:
        """No driver of the board is active (labgrid sees to that), and it has no power if that can be had."""
        if self.power is None and any(isinstance(driver, PowerProtocol) for driver in self.target.drivers):
            raise StrategyError("The power driver stands behind the strategy: put it before, where labgrid binds it")
        if self.power is not None:
            self.target.activate(self.power)
            self.power.off()

    @GraphStrategy.depends("off")
    def state_flashed(self) -> None:
        """The image runs, and its prompt answers."""
        self.target.activate(self.driver)
        if self.power is not None:
            self.target.activate(self.power)
            self.power.on()
        parts = self._parts()
        if parts is not None:
            self.driver.flash(parts)
        elif self.power is not None:
            self.driver.await_prompt()
        elif self.reset and self.driver.has_lines:
            self.driver.reset()
        self.driver.inspect()

    @GraphStrategy.depends("flashed")
    def state_agent(self) -> None:
        """The agent answers."""
        if self.driver.board.eval("1+1") != 2:
            raise StrategyError(f"The agent on {self.driver.url} does not count")

    def _parts(self) -> tuple[ImagePart, ...] | None:
        if not self.image:
            return None
        environment = self.target.env
        images = environment.config.get_images() if environment is not None else {}
        return tuple(load_images([Path(images.get(self.image, self.image))]))
