-- The check of a frame with the firmware's own CRC-16; bridge/wire/check.py says why twice.
local agent = ...
local char, crc = string.char, ow.crc16

-- A number of two bytes, high byte first. Floats with a whole value are fine for string.char on 5.3 too.
local function two(n)
  return char((n - n % 256) / 256, n % 256)
end
agent.two = two

-- The three bytes of the check over some data.
function agent.check(data, seed)
  return two(crc(data, seed)) .. char(crc(data:reverse(), seed) % 256)
end
