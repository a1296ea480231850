-- Lua 5.3 with integers and floats of 32 bits: what calls behind operations of rewritten chunks make of results, and the
-- library functions from which numbers of the host's width would come.
local B = ...
local math_type, type, error, select, pcall = math.type, type, error, select, pcall
local pack, unpack, find, gsub = string.pack, string.unpack, string.find, string.gsub
local concat = table.concat
local hide, reraise, text_of = B.hide, B.reraise, B.raw_tostring
local LEAST, MOST, HALF, RANGE = -2147483648, 2147483647, 2147483648, 4294967296
-- VM instructions that these take on average, with the calls of them, and with each operand of a `..` more.
local NARROW, OVERFLOW, FLOAT, CONVERTED, MOD, SHIFT, RIGHT, TEXT, EACH, JOINED, LIBRARY, READ, LIST, ITEM =
  17.6, 10, 9, 19, 14.6, 35, 13, 22, 5, 40, 16, 15, 30, 5

-- A double cut to the 24 bits of a float (Veltkamp's splitting); where that may not be the nearest, C converts.
local SPLIT = 536870913.0
local by_conversion = hide(function(value, cut)
  B.spent = B.spent + CONVERTED
  local size = value < 0 and -value or value
  if size > 1e-37 and size < 1e38 then
    local other = value + (value - cut)
    local split = other * SPLIT
    if split - (split - other) ~= other then return cut end  -- else it is as far from the one as from the other
  end
  return (unpack("<f", pack("<f", value)))
end)
local round = hide(function(value)
  local split = value * SPLIT
  local cut = split - (split - value)
  if cut == value then return value end
  return (by_conversion(value, cut))
end)

local wrap = hide(function(value) return (value + HALF) % RANGE - HALF end)

local narrow = hide(function(value)
  B.spent = B.spent + NARROW
  local kind = math_type(value)
  if kind == "integer" then
    if value >= LEAST and value <= MOST then return value end
    B.spent = B.spent + OVERFLOW
    return (value + HALF) % RANGE - HALF
  elseif kind then
    B.spent = B.spent + FLOAT
    return (round(value))
  end
  return value
end)
B.narrow = narrow

-- luai_nummod refuses zero also among floats.
local modulo = hide(function(value, b)
  B.spent = B.spent + MOD
  local kind = math_type(value)
  if kind == "integer" then return value end
  if kind then
    if b == 0 or b == "0" then error("modulo by zero", 2) end
    return (round(value))
  end
  return value
end)

-- luaV_shiftl with NBITS 32.
local shift = hide(function(value, a, count)
  B.spent = B.spent + SHIFT
  if math_type(value) ~= "integer" or type(a) ~= "number" or type(count) ~= "number" then return narrow(value) end
  if count <= -32 or count >= 32 then return 0 end
  a = a & 0xFFFFFFFF
  if count < 0 then return wrap(a >> -count) end
  return wrap(a << count)
end)

-- The host would write floats with more digits. False leaves it to the host: without floats, and with what is not text.
local joined = hide(function(...)
  local a, b, c, d, e, f = ...
  local n = select("#", ...)
  B.spent = B.spent + TEXT + EACH * n
  if n <= 6 and math_type(a) ~= "float" and math_type(b) ~= "float" and (n < 3 or math_type(c) ~= "float")
    and (n < 4 or math_type(d) ~= "float") and (n < 5 or math_type(e) ~= "float") and (n < 6 or math_type(f) ~= "float") then
    return false
  end
  B.spent = B.spent + JOINED
  local parts, floats = {...}, false
  for k = 1, n do
    local kind = math_type(parts[k])
    if kind == "float" then
      parts[k], floats = text_of(parts[k]), true
    elseif not kind and type(parts[k]) ~= "string" then
      return false
    end
  end
  return floats and concat(parts)
end)

B.operations = {
  ["\0narrow"] = narrow,
  ["\0narrow%"] = modulo,
  ["\0narrow<"] = shift,
  ["\0narrow>"] = hide(function(value, a, count)
    B.spent = B.spent + RIGHT
    return (shift(value, a, type(count) == "number" and -count or count))
  end),
  ["\0wrap"] = narrow,
}
for count = 2, 30 do B.operations["\0texts" .. count] = joined end

-- A number that the host read: what is beyond the chip's integers is a float there, or wraps if its digits do.
local read = hide(function(value, wraps)
  B.spent = B.spent + LIBRARY
  if math_type(value) == "integer" and not wraps and (value < LEAST or value > MOST) then value = value + 0.0 end
  return narrow(value)
end)

local tonumber = tonumber
B.base.tonumber = function(...)
  local ok, value = pcall(tonumber, ...)
  if not ok then reraise(value) end
  local given, base = ...
  B.spent = B.spent + READ
  if value == nil or type(given) == "number" then return value end
  local number = read(value, base ~= nil or find(given, "^%s*[-+]?0[xX]"))
  return number
end

local math, string, table = math, string, table
-- What the host's function of integers gives beyond the chip's is a float there.
for _, name in ipairs({"ceil", "floor", "modf"}) do
  local native = math[name]
  math[name] = function(...)
    local ok, value, rest = pcall(native, ...)
    if not ok then reraise(value) end
    if rest == nil then return read(value) end
    return read(value), narrow(rest)
  end
end
for _, name in ipairs({"abs", "acos", "asin", "atan", "cos", "deg", "exp", "log", "rad", "sin", "sqrt", "tan"}) do
  local native = math[name]
  math[name] = function(...)
    local ok, value = pcall(native, ...)
    if not ok then reraise(value) end
    B.spent = B.spent + LIBRARY
    local number = narrow(value)
    return number
  end
end
local fmod, tointeger, random = math.fmod, math.tointeger, math.random
math.fmod = function(...)
  local ok, value = pcall(fmod, ...)
  if not ok then reraise(value) end
  local _, divisor = ...
  if math_type(value) == "float" and divisor == 0 then error("modulo by zero", 2) end
  local number = narrow(value)
  return number
end
math.tointeger = function(...)
  local ok, value = pcall(tointeger, ...)
  if not ok then reraise(value) end
  if value and (value < LEAST or value > MOST) then return nil end
  return value
end
math.random = function(...)
  local ok, value = pcall(random, ...)
  if not ok then reraise(value) end
  local number = narrow(value)
  return number
end
math.pi = round(math.pi)

-- The chip's own sizes of what a format leaves to the machine. What has the size of an integer has its sign.
local NATIVE = {j = "i4", J = "i4", l = "i4", L = "i4", T = "i4", n = "f"}
local SIZE_OF_STRINGS, SIZE_OF_INTEGERS = {[""] = "s4"}, {[""] = "i4", ["4"] = "i4"}
local sized = hide(function(template)
  if type(template) ~= "string" then return template end
  template = gsub(gsub(template, "[jJlLTn]", NATIVE), "I(%d*)", SIZE_OF_INTEGERS)
  return (gsub(template, "s(%d*)", SIZE_OF_STRINGS))
end)
local function narrowed(value, ...)
  if select("#", ...) == 0 then return narrow(value) end
  return narrow(value), narrowed(...)
end
hide(narrowed)
for _, name in ipairs({"pack", "packsize", "unpack"}) do
  local native = string[name]
  local keep = function(ok, ...)
    if not ok then reraise((...)) end
    return narrowed(...)
  end
  string[name] = function(template, ...)
    return keep(pcall(native, sized(template), ...))
  end
end

table.concat = function(...)
  local list, separator, first, last = ...
  if type(list) == "table" and not B.raw_getmetatable(list) then
    local copy
    B.spent = B.spent + LIST + ITEM * #list
    for k = tonumber(first) or 1, tonumber(last) or #list do
      if math_type(list[k]) == "float" then
        copy = copy or table.move(list, 1, #list, 1, {})
        copy[k] = text_of(list[k])
      end
    end
    if copy then list = copy end
  end
  local ok, result = pcall(concat, list, select(2, ...))
  if not ok then reraise(result) end
  return result
end
