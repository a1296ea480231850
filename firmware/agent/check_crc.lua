-- The check of a frame with the firmware's own CRC-16; bridge/wire/check.py says why twice.
local agent, crc = ..., ow.crc16

-- The check over some data, as a number below 2^24.
function agent.check(data, seed)
  return crc(data, seed) * 256 + crc(data:reverse(), seed) % 256
end
