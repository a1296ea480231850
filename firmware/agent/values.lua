-- Lua values to bytes and back; bridge/wire/PROTOCOL.md, "Values". Objects that cannot travel stay here under a number.
-- Tables, functions and what else is rare are in room_values.lua.
local agent = ...
local byte, sub, char, type, tostring = string.byte, string.sub, string.char, type, tostring
local objects, last = {}, 0
agent.objects = objects

-- The number under which an object is kept from now on.
function agent.keep(object)
  repeat last = last % 65535 + 1 until not objects[last]
  objects[last] = object
  return last
end

-- A number of two bytes, high byte first. Floats with a whole value are fine for string.char on 5.3 too.
function agent.two(n)
  return char((n - n % 256) / 256, n % 256)
end

-- The value at a position in a message, and the position after it.
function agent.get(data, at)
  local tag, high, low = byte(data, at, at + 2)
  local value
  at = at + 1
  if tag < 64 then
    value = tag
  elseif tag < 128 then
    at = at + tag - 64
    value = sub(data, at - tag + 64, at - 1)
  elseif tag < 192 then
    value = objects[tag - 128]
    if value == nil then error("stale handle", 0) end
  elseif tag < 195 then
    if tag > 192 then value = tag > 193 end
  else
    high = high * 256 + low
    at = at + 2
    if tag > 196 then return agent.more(tag, high, data, at) end
    low = at
    at = at + high
    value = sub(data, low, at - 1)
    if tag > 195 then value = tonumber(value) end
  end
  return value, at
end

-- All values from a position on.
function agent.values(data, at)
  if at <= #data then
    local value
    value, at = agent.get(data, at)
    return value, agent.values(data, at)
  end
end

-- The bytes of one value.
function agent.put(value)
  local kind = type(value)
  if kind == "string" then
    if #value < 64 then return char(64 + #value) .. value end
    kind = "\195"
  elseif kind == "number" then
    if value >= 0 and value < 64 and value % 1 == 0 then return char(value) end
    value, kind = tostring(value), "\196"
  elseif value == nil then
    return "\192"
  elseif kind == "boolean" then
    return value and "\194" or "\193"
  else
    if agent.deep then return agent.deep(value, kind) end
    value, kind = tostring(value), "\200"
  end
  return kind .. agent.two(#value) .. value
end
