-- The check of a frame in plain Lua, for firmware without `ow`; bridge/wire/check.py.
local agent = ...
local byte = string.byte

-- The three bytes of the check over some data. Every step stays below 2^31: exact in each build's numbers.
function agent.check(data, seed)
  local hash, n = seed + 1, #data
  local whole = n - n % 4
  for at = 1, whole, 4 do
    local a, b, c, d = byte(data, at, at + 3)
    hash = ((((hash * 127 + a) % 16777213 * 127 + b) % 16777213 * 127 + c) % 16777213 * 127 + d) % 16777213
  end
  for at = whole + 1, n do
    hash = (hash * 127 + byte(data, at)) % 16777213
  end
  local low = hash % 256
  hash = (hash - low) / 256
  return (hash - hash % 256) / 256, hash % 256, low
end
