"""A terminal for people: lines that are edited here and run by the agent, or each key as it is, for any board.

`lua` runs what was typed on a board with the agent, `editor` is where it is typed, `console` passes keys and bytes
through to a port.
"""
