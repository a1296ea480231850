-- The integer build of 5.1: what calls behind the operations of rewritten chunks make of their operands, and library
-- functions whose results would be fractions.
local B = ...
if not B.integers then return end
local floor, host_tonumber, error, match, type, pcall = math.floor, tonumber, error, string.match, type, pcall
local getinfo, select = debug.getinfo, select
local hide, math, base, reraise = B.hide, B.globals.math, B.base, B.reraise
local MOST, LEAST, RANGE = 2147483647, -2147483648, 4294967296
-- VM instructions that the stand-in for one operation takes.
local OPERATION, WRAP, READ, MORE = 56, 17, 34, 4

local wrap = hide(function(value) return (value + MOST + 1) % RANGE + LEAST end)

-- A string as lua_str2number reads it: strtol, then strtoul for what begins with 0x. Nil for anything else.
local whole_of = hide(function(text)
  local digits = match(text, "^%s*([-+]?%d+)%s*$")
  if digits then
    local value = host_tonumber(digits)
    return value > MOST and MOST or value < LEAST and LEAST or value
  end
  local sign, hex = match(text, "^%s*([-+]?)0[xX](%x+)%s*$")
  if not hex then return nil end
  local value = host_tonumber(hex, 16)
  if value >= RANGE then return -1 end
  return wrap(sign == "-" and -value or value)
end)

local operand = hide(function(value)
  if type(value) == "string" then
    value = whole_of(value)
    if not value then error("attempt to perform arithmetic on a string value", 3) end
  end
  return value
end)

-- A product of two ints has up to 62 bits, a double 53.
local function times(x, y)
  local product = x * y
  if product < 9e15 and product > -9e15 then return product end
  local high = floor(y / 65536)
  return wrap(wrap(x * high) * 65536 + x * (y - high * 65536))
end

local function power(x, y)
  if y < 0 then return 0 end
  local result = 1
  for _ = 1, y do result = wrap(times(result, x)) end
  return result
end

local function divide(x, y)
  B.spent = B.spent + MORE
  return y ~= 0 and floor(x / y)
end
local function modulo(x, y)
  B.spent = B.spent + MORE
  return y ~= 0 and x - floor(x / y) * y
end

-- `result` is what the host's operation gave, which is all there is to it when metamethods were called.
local function operation(whole, complaint, stale)
  return hide(function(result, a, b)
    B.spent = B.spent + OPERATION
    local x, y = operand(a), operand(b)
    if type(x) ~= "number" or type(y) ~= "number" then return result end
    result = whole(x, y)
    if not result then
      if stale then error(getinfo(2, "S").short_src .. ":-1: " .. complaint, 0) end
      error(complaint, 2)
    end
    return wrap(result)
  end)
end

B.operations = {
  ["\0+"] = operation(function(x, y) return x + y end),
  ["\0-"] = operation(function(x, y) return x - y end),
  ["\0*"] = operation(times),
  ["\0^"] = operation(power),
  ["\0~"] = operation(function(x) return -x end),
  ["\0/"] = operation(divide, "divide by zero"),
  ["\0%"] = operation(modulo, "modulo by zero"),
  ["\0stale/"] = operation(divide, "divide by zero", true),
  ["\0stale%"] = operation(modulo, "modulo by zero", true),
  ["\0wrap"] = hide(function(value)
    B.spent = B.spent + WRAP
    return wrap(value)
  end),
}

local sqrt, random, check_any = math.sqrt, math.random, B.check_any
math.pow = function(x, y)
  return power(x, y)
end
math.sqrt = function(...)
  local root = sqrt(...)
  return floor(root)
end
math.random = function(...)
  local number = random(...)
  return floor(number)
end
local tonumber = base.tonumber
base.tonumber = function(...)
  local count = select("#", ...)
  check_any(count, 1)
  local value, number_base = ...
  B.spent = B.spent + READ
  if type(value) == "string" and (number_base == nil or number_base == 10) then
    local number = whole_of(value)
    return number
  end
  local ok, number = pcall(tonumber, ...)
  if not ok then reraise(number) end
  return type(number) == "number" and wrap(number) or nil
end
