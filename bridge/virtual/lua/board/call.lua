-- How the board runs Lua code: every run is protected here, and ends with plain values for Python.
local B = ...
local xpcall, pcall, unpack, select, type, error = xpcall, pcall, unpack or table.unpack, select, type, error
local getinfo, sethook, count = debug.getinfo, debug.sethook, collectgarbage
local G = B.globals
local match = string.match
local running = 0

-- Runs at the point of an error: what the chip's message handlers do (lua.c msghandler, lnodemcu.c errhandler).
local function handler(message)
  if B.halted then return message end
  if B.out_of_memory and message == "not enough memory" then return message end
  local d = G.debug
  local t = type(d) == "table" and d.traceback
  if t == B.board_traceback then
    -- No tail call: the levels are counted.
    message = B.trace_error(message)
  elseif type(t) == "function" then
    message = t(message, 2)
  end
  return message
end

local function collect(...) return {n = select("#", ...), ...} end

-- Run f(...) with `frames` C functions below it on the chip's stack.
-- Returns "ok", results | "error", message with traceback | "memory", message | "halt".
local function run(frames, f, ...)
  local n, arguments, results = select("#", ...), {...}, nil
  local before = B.frames
  B.frames = frames
  B.out_of_memory = false
  local ok, message = xpcall(function() results = collect(f(unpack(arguments, 1, n))) end, handler)
  B.frames = before
  if B.halted then return "halt" end
  if ok then return "ok", results end
  if B.out_of_memory then
    B.out_of_memory = false
    return "memory", message
  end
  return "error", message
end
B.run = run

-- For Python: results in a row behind the status.
function B.call(frames, f, ...)
  local status, results = run(frames, f, ...)
  if status == "ok" then return status, unpack(results, 1, results.n) end
  return status, results
end

-- Without traceback, as luaD_throw reaches the panic function: the bare message.
function B.call_bare(f, ...)
  local n, arguments = select("#", ...), {...}
  local results
  local before = B.frames
  B.frames = 0
  local ok, message = pcall(function() results = collect(f(unpack(arguments, 1, n))) end)
  B.frames = before
  if B.halted then return "halt" end
  if ok then return "ok", unpack(results, 1, results.n) end
  return "error", message
end

-- lua.c l_print: through the program's own print.
local function l_print(values)
  if values.n == 0 then return end
  local ok, message = pcall(G.print, unpack(values, 1, values.n))
  if not ok and not B.halted then
    B.direct("error calling 'print' (" .. B.raw_tostring(message) .. ")\n")
  end
end

-- lua.c docall and what is printed afterwards; `prefixed` is what dojob does with an error.
function B.job(frames, f, prefixed)
  local status, results = run(frames, f)
  if status == "halt" then return end
  if status == "ok" then
    if prefixed then l_print(results) end
    return
  end
  B.full_collection(nil)
  if prefixed and results ~= nil then
    l_print({n = 2, "Lua error: ", results})
  else
    l_print({n = 1, results})
  end
end

function B.print_text(prefixed, text)
  if prefixed then l_print({n = 2, "Lua error: ", text}) else l_print({n = 1, text}) end
end

-- lua.c of 2.x: docall and report. The results of a line are printed, those of start-up, which has a name, are not.
function B.job_2x(frames, f, name)
  local status, results = run(frames, f)
  if status == "halt" then return end
  if status == "ok" then
    if not name then l_print(results) end
    return
  end
  B.full_collection(nil)
  B.report_2x(name, results)
end

function B.report_2x(name, message)
  if message == nil then return end
  local kind = type(message)
  if kind ~= "string" and kind ~= "number" then message = "(error object is not a string)" end
  B.direct((name and name .. ": " or "") .. match(message, "^%Z*") .. "\n")
end

-- lua.c get_prompt
function B.prompt(name, default)
  local p = G[name]
  if type(p) == "string" then return p end
  if type(p) == "number" then return B.number_prompt(p) end
  return default
end

-- node.c default_onerror: the traceback through the program's own print.
function B.print_error(message)
  pcall(function() G.print(message) end)
end

-- The count hook: what the VM has done is charged, and a task that may not go on is ended.
local tick = B.tick
local STEP = B.hook_step
local steps, next_look = 0, 1
local hook

-- The board's own code is never interrupted: it ends by itself, and nothing catches errors around it. Nor is what stands
-- in for C when the board's code or the firmware itself calls it, with nothing of a program below.
local function in_board()
  for level = 3, 1e9 do
    local i = getinfo(level, "S")
    if not i or i.source == "=[board]" then return true end
    if i.what == "C" or i.source ~= "=[C]" and i.what ~= "tail" then return false end
  end
end

hook = function()
  if B.halted then
    if in_board() then return end
    error(B.HALT, 0)
  end
  steps = steps + 1
  if steps < next_look then return end
  next_look = steps + 1
  local verdict = tick(count("count"))
  if not verdict then return end
  if verdict == 2 then
    B.halted = true
    sethook(hook, "", 1)
  end
  if in_board() then return end
  if B.halted then error(B.HALT, 0) end
  B.out_of_memory = true
  error("not enough memory", 0)
end
B.hide(hook)

function B.install_hook(co)
  if co then sethook(co, hook, "", STEP) else sethook(hook, "", STEP) end
end

function B.halt_hooks()
  B.halted = true
  sethook(hook, "", 1)
end

function B.resume_hooks()
  B.halted = false
  sethook(hook, "", STEP)
end

function B.remove_hook() sethook() end

-- Instructions since this was last asked.
function B.instructions()
  local n = steps * STEP
  steps, next_look = 0, next_look - steps
  return n
end

B.count = count

-- A function that is C's on the chip, under a global's name.
function B.is_c_global(name)
  local f = rawget(G, name)
  return type(f) == "function" and getinfo(f, "S").source == "=[C]"
end
function B.number_prompt(p)
  -- 5.1: the text of a number is garbage by the time it is printed; "s" is what the recorded board found there.
  return B.is_53 and B.raw_tostring(p) or "s"
end
