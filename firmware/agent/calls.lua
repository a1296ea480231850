-- What messages do; bridge/wire/PROTOCOL.md, "Messages".
local agent = ...
-- Functions by number; pieces of source that wait for their call, if any, or false: there was no memory for one of them.
local shapes, source = {}

-- Ends a call. A function that returns `agent` itself does so later, by the number it found in `agent.call`.
function agent.answer(call, ok, ...)
  if ok and (call < 1 or ... == agent) then return end
  agent.send(ok and @REPLY@ or @FAILURE@, string.char(call), ...)
end

-- Takes a message. Without one there was no memory to take it: source that waits must not fill the heap for ever.
-- A call takes itself once more, to be ended if it fails (`made`; one function takes 150 bytes less than two): it calls a
-- function by its number; source that came before makes it first. Source before 0 is called with the values, source
-- before 253 with the agent's table and the functions by number; both are not kept. Functions below 64 read the message
-- themselves.
function agent.take(message, op, call, made)
  if made then
    made = shapes[op]
    if source ~= nil then
      made, source = source
      local name = "not enough memory"
      if made then
        name, made = made[0] or "=lua", table.concat(made)
        made, name = loadstring(made, name)
      end
      if not made then error(name, 0) end
      if op > 0 then
        made = made(agent, shapes)
        if op > 252 then return made end
        shapes[op] = made
      end
    end
    agent.call = call
    if op > 0 and op < 64 then return made(message) end
    if #message < 3 then return made() end
    return agent.start(made, agent.values(message, 3))
  elseif not message then
    source = source and false
  elseif op == @SOURCE@ then
    local pieces = source == nil and {} or source
    source = false
    local name = message:byte(2) == 0
    pieces[name and 0 or #pieces + 1] = message:sub(name and 3 or 2)
    source = pieces
  elseif op == @TUNE@ then
    agent.fragment = call
  else
    -- An answer may fail, too, for what it is to carry or for lack of memory.
    local ok, text = pcall(agent.answer, call, pcall(agent.take, message, op, call, true))
    agent.call = nil
    if not ok then agent.answer(call, false, text) end
  end
end
