-- The last piece of the bootstrap: its own table goes (bridge/loader.py), and the agent takes the UART.
local agent = ...
_nb = nil
agent.start()
