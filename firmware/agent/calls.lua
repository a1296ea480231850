-- What messages do; bridge/wire/PROTOCOL.md, "Messages".
local agent = ...
-- Functions by number; pieces of source that wait for their call, or false: there was no memory for one of them.
local shapes, source = {}, {}

-- Ends a call. A function that returns `agent` itself does so later, by the number it found in `agent.call`.
function agent.answer(call, ok, ...)
  if ok and (call < 1 or ... == agent) then return end
  agent.send(ok and @REPLY@ or @FAILURE@, string.char(call), ...)
end

-- Calls a function by its number; source that came before makes it first. Source before 0 is called with the values,
-- source before 253 with the agent's table and the functions by number; both are not kept. Functions below 64 read the message themselves.
local function run(message, shape, call)
  local made = shapes[shape]
  if not source or source[1] then
    made, source = source, {}
    if not made then error("not enough memory", 0) end
    -- Each piece goes when it has been read.
    local code, text = load(function()
      return table.remove(made, 1)
    end, made[0] or "=lua")
    if not code then error(text, 0) end
    made = code
    if shape > 0 then
      made = made(agent, shapes)
      if shape > 252 then return agent.answer(call, true, made) end
      shapes[shape] = made
    end
  end
  agent.call = call
  if shape > 0 and shape < 64 then return agent.answer(call, true, made(message)) end
  if #message > 2 then
    if agent.start then return agent.answer(call, true, agent.start(made, agent.values(message, 3))) end
    return agent.answer(call, true, made(agent.values(message, 3)))
  end
  agent.answer(call, true, made())
end

function agent.take(message, op, call)
  if op == @SOURCE@ then
    local pieces = source
    source = false
    if message:byte(2) == 0 then
      pieces[0] = "=" .. message:sub(3)
    else
      pieces[#pieces + 1] = message:sub(2)
    end
    source = pieces
  elseif op == @TUNE@ then
    agent.fragment = call
  else
    local ok, text = pcall(run, message, op, call)
    agent.call = nil
    if not ok then agent.answer(call, false, text) end
  end
end
