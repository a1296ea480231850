-- 5.1: the string and table functions that build strings refuse results that reach the collector's limit
-- (luaV_concat in app/lua/lvm.c, through luaL_pushresult). The host's functions do the work inside a pcall, so what
-- they complain of is raised again with the program's own names and positions.
local B = ...
local pcall, error, type, select, tonumber = pcall, error, type, select, tonumber
local hide, argument_fault, match = B.hide, B.argument_fault, string.match
local find, gmatch, sub, floor, tostring, is_53 = string.find, string.gmatch, string.sub, math.floor, tostring, B.is_53
local math_type = math.type
local unpack = unpack or table.unpack
local MOST = 200000
B.limit = 0
B.concat_bytes = 0
-- VM instructions that these stand-ins took where the chip takes none; the account takes them off. What a way through
-- costs was counted on the host's VM, per version.
B.spent = 0
local BOUNDED, FORMAT, LIMITED, GSUB, CALLED_BACK, CONCAT, WHOLE = 33, 27, 28, 24, 16, 28, 58
if is_53 then CALLED_BACK, FORMAT = 3, 35 end

-- What the check behind each `..` calls.
B.concat_check = hide(function(text)
  if type(text) == "string" then
    local n = #text
    B.spent = B.spent + CONCAT
    B.concat_bytes = B.concat_bytes + n
    if n >= B.limit and B.limit > 0 then error("string length overflow", 2) end
    if B.concat_bytes > B.check_bytes then B.check_memory() end
  end
end)

-- The chip's own check of memory happens at every allocation; here when enough was built since the last one.
B.check_bytes = 2000
B.check_memory = hide(function()
  local n = B.concat_bytes
  B.concat_bytes = 0
  if B.built(n) then B.raise_out_of_memory() end
end)

local raise = hide(function(message)
  -- The count hook may strike inside the pcall.
  if B.halted or (B.out_of_memory and message == "not enough memory") then error(message, 0) end
  local number, text = match(message, "^bad argument #(%d+) to '[^']*' %((.*)%)$")
  if number then argument_fault(2, tonumber(number), text) end
  error(message, 3)
end)

B.reraise = raise

local check_string = hide(function(number, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    argument_fault(2, number, "string expected, got " .. type(value))
  end
end)

-- More than any board's heap holds is refused before the host builds it.
local bounded = hide(function(text, n)
  local length = (type(text) == "string" or type(text) == "number") and #tostring(text)
  local count = length and type(n) ~= "boolean" and tonumber(n)
  if is_53 and math_type(count) == "float" and (count < -2147483648 or count > 2147483647) then
    argument_fault(2, 2, "number has no integer representation")
  end
  if not count or length * count < MOST then return end
  if is_53 then error("not enough memory for buffer allocation", 3) end
  if B.limit > 0 then error("string length overflow", 0) end
  B.raise_out_of_memory()
end)

function B.bounded_rep(native)
  return function(...)
    B.spent = B.spent + BOUNDED
    bounded(...)
    local ok, text = pcall(native, ...)
    if not ok then raise(text) end
    return text
  end
end

local function limited(native, check)
  return function(...)
    B.spent = B.spent + LIMITED
    if check then
      B.spent = B.spent + BOUNDED
      check(...)
    end
    local ok, text, extra = pcall(native, ...)
    if not ok then raise(text) end
    local n = #text
    B.concat_bytes = B.concat_bytes + n
    if n >= B.limit and B.limit > 0 then error("string length overflow", 0) end
    if B.concat_bytes > B.check_bytes then B.check_memory() end
    if extra ~= nil then return text, extra end
    return text
  end
end

-- The chip's `long` has 32 bits (lstrlib.c str_format): what the integer conversions get is cut to that.
local signed, unsigned = {d = true, i = true}, {o = true, u = true, x = true, X = true}
local narrow = hide(function(conversion, value)
  local number = tonumber(value)
  if type(value) == "boolean" or not number or number ~= number then return value end
  if is_53 then
    if number ~= floor(number) then return value end
    if math_type(number) == "float" and (number < -2147483648 or number > 2147483647) then return nil, true end
    if unsigned[conversion] then return number % 4294967296 end
    return (number + 2147483648) % 4294967296 - 2147483648
  end
  number = number < 0 and -floor(-number) or floor(number)
  if signed[conversion] then
    return (number < -2147483648 or number > 2147483647) and -2147483648 or number
  end
  return number % 4294967296
end)

-- True for what the conversions take as it is, and which conversions do not.
local fits, NARROWED = function(value)
  return type(value) ~= "number" or value >= 0 and value <= 2147483647
end, "%%[-+ #0]*%d*%.?%d*[diouxX]"
if is_53 then
  local every = fits
  fits, NARROWED = function(value) return math_type(value) ~= "float" and every(value) end, "%%[-+ #0]*%d*%.?%d*[diouxXs]"
end

-- The integer build has no conversions for fractions, and takes no string for a number that is none to it.
local whole = hide(function(native, template, ...)
  local count, argument, at = select("#", ...), 0, 1
  while true do
    local start, stop, conversion = find(template, "%%[-+ #0]*%d*%.?%d*(.)", at)
    if not start then return end
    at = stop + 1
    if conversion ~= "%" then
      argument = argument + 1
      if argument > count then return end
      local value = (select(argument, ...))
      if find(conversion, "[eEfgG]") then
        local ok, text = pcall(native, sub(template, 1, start - 1), ...)
        if not ok then raise(text) end
        error("invalid option '%" .. conversion .. "' to 'format'", 3)
      elseif find(conversion, "[cdiouxX]") and type(value) == "string" and B.base.tonumber(value) == nil then
        argument_fault(2, argument + 1, "number expected, got string")
      end
    end
  end
end)

function B.narrow_format(native)
  if B.integers then
    local formatted = native
    native = function(template, ...)
      B.spent = B.spent + WHOLE
      if type(template) == "string" then whole(formatted, template, ...) end
      return formatted(template, ...)
    end
  end
  return function(...)
    local template, a, b, c = ...
    B.spent = B.spent + FORMAT
    if select("#", ...) <= 4 and (a == nil or fits(a) and (b == nil or fits(b) and (c == nil or fits(c))))
      or type(template) ~= "string" or not find(template, NARROWED) then
      local ok, text = pcall(native, ...)
      if not ok then raise(text) end
      return text
    end
    local values, count, argument = {...}, select("#", ...), 1
    for conversion in gmatch(template, "%%[-+ #0]*%d*%.?%d*(.)") do
      if conversion ~= "%" then
        argument = argument + 1
        if argument <= count and (signed[conversion] or unsigned[conversion]) then
          local value, wide = narrow(conversion, values[argument])
          if wide then argument_fault(1, argument, "number has no integer representation") end
          values[argument] = value
        elseif is_53 and conversion == "s" and math_type(values[argument]) == "float" then
          values[argument] = B.raw_tostring(values[argument])
        end
      end
    end
    local ok, text = pcall(native, unpack(values, 1, count))
    if not ok then raise(text) end
    return text
  end
end

function B.limit_strings(string, table)
  string.rep = limited(string.rep, bounded)
  for _, name in ipairs({"upper", "lower", "reverse", "char", "format"}) do
    string[name] = limited(string[name])
  end
  table.concat = limited(table.concat)
  local gsub = string.gsub
  string.gsub = function(...)
    local subject, pattern, replacement, most = ...
    local kind = type(replacement)
    B.spent = B.spent + GSUB
    -- A function, or a table that may have metamethods, runs the program's own code: its errors pass unchanged.
    if kind == "function" or kind == "table" then
      check_string(1, subject)
      check_string(2, pattern)
      if most ~= nil and not tonumber(most) then
        argument_fault(1, 4, "number expected, got " .. type(most))
      end
      local check = hide(function(value)
        local given = type(value)
        B.spent = B.spent + CALLED_BACK
        if value and given ~= "string" and given ~= "number" then
          error("invalid replacement value (a " .. given .. ")", 5)
        end
        return value
      end)
      -- No tail calls: the levels are counted.
      local text, n = gsub(subject, pattern, hide(kind == "function" and function(...)
        local value = check((replacement(...)))
        return value
      end or function(key)
        local value = check(replacement[key])
        return value
      end), most)
      if #text >= B.limit and B.limit > 0 then error("string length overflow", 0) end
      return text, n
    end
    if kind ~= "string" and kind ~= "number" and type(subject) == "string" and type(pattern) == "string" then
      argument_fault(1, 3, "string/function/table/lightfunction expected")
    end
    local ok, text, n = pcall(gsub, ...)
    if not ok then raise(text) end
    if #text >= B.limit and B.limit > 0 then error("string length overflow", 0) end
    return text, n
  end
end
