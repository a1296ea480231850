-- A function of the firmware: a Lua function that looks like a C function and asks Python for its answer.
--
-- Python answers with an opcode first. No Python exception crosses Lua, and errors are raised here, so that positions
-- and names are those of the program's own call.
local B = ...
local getinfo, error, unpack, type = debug.getinfo, error, unpack or table.unpack, type
local tonumber = tonumber
local hide, is_53 = B.hide, B.is_53

local NOTHING, ONE, TWO, THREE, FOUR, MANY, CALL = 0, 1, 2, 3, 4, 5, 6
local FAULT, BARE_FAULT, ARGUMENT_FAULT, OUT_OF_MEMORY, HALT = 10, 11, 12, 13, 14
B.HALT = "\0halt"

-- Ends the running task: nothing may catch this, so the hook raises it again wherever a program does.
local halt = hide(function()
  B.halt_hooks()
  error(B.HALT, 0)
end)
B.halt = halt

local out_of_memory = hide(function()
  B.out_of_memory = true
  error("not enough memory", 0)
end)
B.raise_out_of_memory = out_of_memory

-- As luaL_argerror: `level` counts from the function that calls this; 1 is the function of the firmware itself.
local argument_fault = hide(function(level, number, text)
  local i = getinfo(level + 1, "nf")
  local caller = getinfo(level + 2, "S")
  local name, what = i.name, i.namewhat
  if not caller or caller.what == "C" or caller.source == "=[C]" or caller.source == "=[board]" then
    name, what = nil, ""
  end
  if what == "method" then
    number = number - 1
    if number == 0 then
      error("calling '" .. name .. "' on bad self" .. " (" .. text .. ")", level + 2)
    end
  end
  if not name then name = is_53 and B.global_name(i.func) or "?" end
  error("bad argument #" .. number .. " to '" .. name .. "' (" .. text .. ")", level + 2)
end)
B.argument_fault = argument_fault

local fail = hide(function(op, a, b)
  if op == FAULT then error(a, 3)
  elseif op == ARGUMENT_FAULT then argument_fault(2, a, b)
  elseif op == BARE_FAULT then error(a, 0)
  elseif op == OUT_OF_MEMORY then out_of_memory()
  else halt() end
end)
B.fail = fail

-- What Python gets of a coroutine refers to that coroutine, and Python may hold it for longer than the program holds the
-- coroutine. So more than plain values are not handed over there: Python is told to fetch them, by way of the main thread.
local HANDED = "\0handed"
-- VM instructions that this takes, and with each value more, where the chip takes none; and when they are fetched.
local HANDING, HANDING_EACH, FETCHING = 24, 10, 20
local inside -- the coroutine that runs
-- What is to be fetched: not in a table, as long as it is little, because on the chip nothing is allocated for it.
local count, first, second, third, fourth, more
local select = select
local function handing(answer)
  return hide(function(...)
    local n = select("#", ...)
    B.spent = B.spent + HANDING + HANDING_EACH * n
    for at = 1, n do
      local kind = type((select(at, ...)))
      if kind == "function" or kind == "table" or kind == "thread" or kind == "userdata" then
        B.spent = B.spent + FETCHING
        count, first, second, third, fourth = n, ...
        if n > 4 then more = {select(5, ...)} end
        return answer(HANDED)
      end
    end
    return answer(...)
  end)
end

-- For Python: what was handed over last.
function B.take_handed()
  local a, b, c, d, rest = first, second, third, fourth, more
  first, second, third, fourth, more = nil, nil, nil, nil, nil
  if count == 1 then return a
  elseif count == 2 then return a, b
  elseif count == 3 then return a, b, c
  elseif count == 4 then return a, b, c, d
  end
  return a, b, c, d, unpack(rest, 1, count - 4)
end

-- Says which coroutine runs from now on (nil is none), and returns which one ran before.
B.enter = hide(function(thread)
  local before = inside
  inside = thread
  return before
end)

-- `answer` is the Python side; `resume` goes on with a function that had to call Lua (opcode CALL).
function B.wrap(answer, resume)
  local answer_inside, resume_inside = handing(answer), handing(resume)
  return function(...)
    local op, a, b, c, d = (inside and answer_inside or answer)(...)
    while op == CALL do
      local go_on = inside and resume_inside or resume
      if d == 0 then op, a, b, c, d = go_on(a, b())
      else op, a, b, c, d = go_on(a, b(unpack(c, 1, d))) end
    end
    if op == ONE then return a
    elseif op == NOTHING then return
    elseif op == TWO then return a, b
    elseif op == THREE then return a, b, c
    elseif op == FOUR then return a, b, c, d
    elseif op == MANY then return unpack(a, 1, b)
    end
    fail(op, a, b)
  end
end

-- luaL_posttask for functions of the board that are written in Lua.
local post = B.wrap(B.python_post, B.resume)
B.post_function = hide(function(priority, f)
  post(priority, f)
end)

local dump, pcall, python_dump = string.dump, pcall, B.wrap(B.python_dump, B.resume)
B.dump = function(f, ...)
  if type(f) ~= "function" then argument_fault(1, 1, "function expected, got " .. (f == nil and "no value" or type(f))) end
  local strip = ...
  if strip ~= nil and type(strip) ~= "boolean" then
    strip = tonumber(strip) or 0
    if strip < 0 or strip >= 3 then argument_fault(1, 2, "strip out of range") end
  end
  if getinfo(f, "S").source == "=[C]" then error("unable to dump given function", 2) end
  local ok, text = pcall(dump, f)
  if not ok then error("unable to dump given function", 2) end
  return (python_dump(text, f, ...))
end
local thread = coroutine.create(function() end)
local tostring = tostring
function B.thread_text() return tostring(thread) end
B.raw_get = rawget
