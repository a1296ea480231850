"""Firmware images that this installation knows: what is needed of one, how to get one, what is in one, and copies."""
