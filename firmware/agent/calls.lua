-- What messages do; bridge/wire/PROTOCOL.md, "Messages".
local agent = ...
-- Functions by number; source that waits for its call.
local shapes, source = {}, ""

-- Ends a call. A function that returns `agent` itself does so later, by the number it found in `agent.call`.
function agent.answer(call, ok, ...)
  if ok and (call < 1 or ... == agent) then return end
  agent.send(ok and @REPLY@ or @FAILURE@, string.char(call), ...)
end

-- Calls a function by its number; source that came before makes it first. Source before 0 is called with the values,
-- source before 253 with the agent's table and the functions by number; both are not kept. Functions below 64 read the message themselves.
local function run(message, shape, call)
  local made = shapes[shape]
  if source ~= "" then
    made, source = source, ""
    local code, text = loadstring(made, "=lua")
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
  if #message > 2 then return agent.answer(call, true, made(agent.values(message, 3))) end
  agent.answer(call, true, made())
end

function agent.take(message, op, call)
  if op == @SOURCE@ then
    source = source .. message:sub(2)
  elseif op == @TUNE@ then
    agent.fragment = call
  else
    local ok, text = pcall(run, message, op, call)
    if not ok then agent.answer(call, false, text) end
  end
end
