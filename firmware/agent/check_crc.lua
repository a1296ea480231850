-- The check of a frame with the firmware's own CRC-16; bridge/wire/check.py says why twice.
local agent = ...
local char = string.char

-- A number of two bytes, high byte first. Floats with a whole value are fine for string.char on 5.3 too.
function agent.two(n)
  return char((n - n % 256) / 256, n % 256)
end

-- The three bytes of the check over some data.
function agent.check(data, seed)
  local crc = ow.crc16
  return agent.two(crc(data, seed)) .. char(crc(data:reverse(), seed) % 256)
end
