-- The integer build of 5.1: the operations that rewritten chunks call, and library functions whose results are fractions.
local B = ...
if not B.integers then return end
local floor, tonumber, pcall, error, match, type = math.floor, tonumber, pcall, error, string.match, type
local hide, math, base = B.hide, B.globals.math, B.base
-- VM instructions that the stand-in for one operation takes.
local OPERATION = 23

local function operate(plain, whole)
  return hide(function(a, b)
    B.spent = B.spent + OPERATION
    local x, y = tonumber(a), tonumber(b)
    if x and y then
      local result = whole(x, y)
      if not result then error("divide by zero", 2) end
      return result
    end
    -- Metamethods, and the complaint of what has none.
    local ok, result = pcall(plain, a, b)
    if not ok then error(type(result) == "string" and match(result, "attempt .*") or result, 2) end
    return result
  end)
end

local function power(x, y)
  if y < 0 then return 0 end
  local result = 1
  for _ = 1, y do result = (result * x + 2147483648) % 4294967296 - 2147483648 end
  return result
end

B.divide = operate(function(a, b) return a / b end, function(x, y) return y ~= 0 and floor(x / y) end)
B.power = operate(function(a, b) return a ^ b end, power)

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
base.tonumber = function(...)
  check_any(select("#", ...), 1)
  local text, number_base = ...
  if type(text) == "string" and (number_base == nil or number_base == 10)
    and not match(text, "^%s*[-+]?%d+%s*$") and not match(text, "^%s*[-+]?0[xX]%x+%s*$") then
    return nil
  end
  local number = tonumber(...)
  return number
end
