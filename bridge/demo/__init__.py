"""The whole idea in one command; see `bridge.demo.program`."""
