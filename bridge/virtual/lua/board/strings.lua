-- 5.1: the string and table functions that build strings refuse results that reach the collector's limit
-- (luaV_concat in app/lua/lvm.c, through luaL_pushresult). The host's functions do the work inside a pcall, so what
-- they complain of is raised again with the program's own names and positions.
local B = ...
local pcall, error, type, select, tonumber = pcall, error, type, select, tonumber
local hide, argument_fault, match = B.hide, B.argument_fault, string.match
B.limit = 0
B.concat_bytes = 0

-- What the check behind each `..` calls.
B.concat_check = hide(function(text)
  if type(text) == "string" then
    local n = #text
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
  local number, text = match(message, "^bad argument #(%d+) to '%?' %((.*)%)$")
  if number then argument_fault(2, tonumber(number), text) end
  error(message, 3)
end)

local check_string = hide(function(number, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    argument_fault(2, number, "string expected, got " .. type(value))
  end
end)

local function limited(native)
  return function(...)
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

function B.limit_strings(string, table)
  for _, name in ipairs({"rep", "upper", "lower", "reverse", "char", "format"}) do
    string[name] = limited(string[name])
  end
  table.concat = limited(table.concat)
  local gsub = string.gsub
  string.gsub = function(...)
    local subject, pattern, replacement, most = ...
    -- A function, or a table that may have metamethods, runs the program's own code: its errors pass unchanged.
    if type(replacement) == "function" or type(replacement) == "table" then
      check_string(1, subject)
      check_string(2, pattern)
      if most ~= nil and not tonumber(most) then
        argument_fault(1, 4, "number expected, got " .. type(most))
      end
      local text, n = gsub(...)
      if #text >= B.limit and B.limit > 0 then error("string length overflow", 0) end
      return text, n
    end
    local ok, text, n = pcall(gsub, ...)
    if not ok then raise(text) end
    if #text >= B.limit and B.limit > 0 then error("string length overflow", 0) end
    return text, n
  end
end
