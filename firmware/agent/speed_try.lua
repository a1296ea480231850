-- Another speed of the line is tried; bridge/link/speed.py. The answer to this still leaves at the old one. When the host
-- has not said within a second that it hears the board at the new one, the old one comes back.
local agent = ...
local was, databits, parity, stopbits = uart.getconfig(0)
agent.baud = agent.baud or was
agent.guard = tmr.create()
agent.guard:alarm(30, 0, function(timer)
  uart.setup(0, @BAUD@, databits, parity, stopbits)
  timer:alarm(1000, 0, function()
    uart.setup(0, was, databits, parity, stopbits)
  end)
end)
