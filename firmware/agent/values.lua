-- Lua values to bytes and back; bridge/wire/PROTOCOL.md, "Values". Objects that cannot travel stay here under a number.
local agent = ...
local byte, sub, char, format, type, tonumber, tostring = string.byte, string.sub, string.char, string.format, type, tonumber, tostring
local objects = {}
agent.objects = objects

-- A number of two bytes, high byte first. Floats with a whole value are fine for string.char on 5.3 too.
local function two(n)
  return char((n - n % 256) / 256, n % 256)
end
agent.two = two

-- The number under which an object is kept; the same object always has the same one.
function agent.keep(object)
  for number, known in pairs(objects) do
    if known == object then return number end
  end
  local last = agent.last or 0
  repeat last = last % 65535 + 1 until not objects[last]
  agent.last = last
  objects[last] = object
  return last
end

-- The value at a position in a message, and the position after it.
local function get(data, at)
  local tag = byte(data, at)
  at = at + 1
  if tag < 64 then return tag, at end
  if tag < 128 then return sub(data, at, at + tag - 65), at + tag - 64 end
  if tag < 192 then
    tag = tag - 128
  elseif tag == 192 then
    return nil, at
  elseif tag < 195 then
    return tag == 194, at
  else
    local n = byte(data, at)
    at = at + 1
    if tag == 195 then return tonumber(sub(data, at, at + n - 1)), at + n end
    n = n * 256 + byte(data, at)
    at = at + 1
    if tag == 196 then return sub(data, at, at + n - 1), at + n end
    if tag == 198 then
      return function(...) agent.invoke(n, ...) end, at
    end
    if tag == 199 then
      local map, key, value = {}
      for _ = 1, n do
        key, at = get(data, at)
        value, at = get(data, at)
        map[key] = value
      end
      return map, at
    end
    tag = n
  end
  local object = objects[tag]
  if object == nil then error("stale handle " .. tag, 0) end
  return object, at
end

-- All values from a position on.
local function values(data, at)
  if at > #data then return end
  local value
  value, at = get(data, at)
  return value, values(data, at)
end
agent.values = values

-- The bytes of one value.
local function put(value, depth)
  local kind = type(value)
  if value == nil then return "\192" end
  if kind == "boolean" then return value and "\194" or "\193" end
  if kind == "number" then
    if value >= 0 and value < 64 and value % 1 == 0 then return char(value) end
    kind = tostring(value)
    if tonumber(kind) ~= value then kind = format("%.17g", value) end
    return "\195" .. char(#kind) .. kind
  end
  if kind == "string" then
    local n = #value
    if n < 64 then return char(64 + n) .. value end
    return "\196" .. two(n) .. value
  end
  if kind == "table" then
    if depth > 7 then error("table too deep", 0) end
    local data, n = "", 0
    for key, item in pairs(value) do
      data = data .. put(key, depth + 1) .. put(item, depth + 1)
      n = n + 1
    end
    return "\199" .. two(n) .. data
  end
  if kind == "thread" then
    kind = tostring(value)
    return "\200" .. two(#kind) .. kind
  end
  kind = agent.keep(value)
  if kind < 64 then return char(128 + kind) end
  return "\197" .. two(kind)
end

-- The bytes of n values.
local function puts(n, value, ...)
  if n < 1 then return "" end
  if n < 2 then return put(value, 0) end
  return put(value, 0) .. puts(n - 1, ...)
end

function agent.puts(...)
  return puts(select("#", ...), ...)
end
