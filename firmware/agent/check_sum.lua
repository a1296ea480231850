-- The check of a frame in plain Lua, for firmware without `ow`; bridge/wire/check.py.
local agent = ...

-- The check over some data, as a number below 2^24. Every step stays below 2^31: exact in each build's numbers.
function agent.check(data, seed)
  local hash, n = seed + 1, #data
  local whole = n - n % 4
  for at = 1, whole, 4 do
    local a, b, c, d = data:byte(at, at + 3)
    hash = ((hash * 127 + a * 25717) % 16777213 * 127 + b * 60493) % 16777213
    hash = ((hash * 127 + c * 25717) % 16777213 * 127 + d * 60493) % 16777213
  end
  for at = whole + 1, n do
    hash = (hash * 127 + data:byte(at) * (at % 2 > 0 and 25717 or 60493)) % 16777213
  end
  return hash
end
