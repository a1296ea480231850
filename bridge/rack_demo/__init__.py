"""A rack in one command: virtual boards, a suite of tests over all of them, and boards that fail in the middle."""

from bridge.rack_demo.run import DemoResult, run_demo

__all__ = ["DemoResult", "run_demo"]
