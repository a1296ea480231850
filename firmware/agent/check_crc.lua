-- The check of a frame with the firmware's own CRC-16; bridge/wire/check.py says why twice.
local agent = ...
local crc, reverse = ow.crc16, string.reverse

-- The three bytes of the check over some data.
function agent.check(data, seed)
  local first = crc(data, seed)
  return (first - first % 256) / 256, first % 256, crc(reverse(data), seed) % 256
end
