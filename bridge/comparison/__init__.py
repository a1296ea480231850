"""Comparing a board with the virtual one: what `scripts/hil` runs for whoever has a real board.

`facts` asks a board what it is, `scenarios` plays the console scenarios of tests/ground_truth on it, `calibration`
measures how fast it computes, and `report` writes down what differs from a virtual board.
"""
