-- Blinks the LED of a NodeMCU: two flashes a second.
local M = {}

function M.start(pin)
  pin = pin or 4
  gpio.mode(pin, gpio.OUTPUT)
  local on = false
  M.timer = tmr.create()
  M.timer:alarm(250, tmr.ALARM_AUTO, function()
    on = not on
    gpio.write(pin, on and gpio.LOW or gpio.HIGH)
  end)
end

function M.stop()
  if M.timer then M.timer:unregister() M.timer = nil end
end

return M
