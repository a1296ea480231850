"""What may be wrong between a program and a board, looked at step by step.

`host` opens nothing, `board` asks the board. A finding says what is, and, where that is not well, what to do.
"""
