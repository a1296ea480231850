"""Typed faces of modules of the firmware: `board.node`, `board.wifi`, `board.file`, and so on.

Each has the names, the order of arguments and the constants of the stock module (release 3.0.0). They call the board as
`board.lua` does, and add what Python knows: types, results with names, text as str and payload as bytes. What a module
has and its face has not is reached by `board.lua`.
"""
