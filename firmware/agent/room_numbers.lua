-- Numbers whose decimal text would not be exact: the firmware's C reads and prints 15 digits well, and small powers of ten.
-- They travel as a whole number and the power of two it is multiplied by; bridge/wire/numbers.py.
local agent = ...

-- The number in some text.
function agent.number(text)
  local whole, power = text:match("(.*)p(.*)")
  local value = tonumber(whole or text)
  if not value then
    value = #text - #text
    return value / value -- NaN
  end
  power = tonumber(power or 0)
  for _ = 1, power do
    value = value * 2
  end
  for _ = power, -1 do
    value = value / 2
  end
  return value
end

-- The text of a number.
function agent.exact(value)
  local power = 0
  if value ~= value or value * 2 == value then return tostring(value) end
  while value < 4503599627370496 and value > -4503599627370496 do
    value, power = value * 2, power - 1
  end
  while value >= 9007199254740992 or value <= -9007199254740992 do
    value, power = value / 2, power + 1
  end
  return ("%.0f"):format(value) .. (math.type and "." or "") .. "p" .. power
end
