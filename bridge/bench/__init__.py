"""What the link carries, measured: `nodemcu-bridge bench`.

On `virtual:` everything but the host's own work runs on the virtual clock, so that the figures are the same on every
run and every machine.
"""
