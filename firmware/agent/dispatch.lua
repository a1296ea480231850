-- What messages do: calls, source, credit, release, stop.
local agent = ...
local byte, sub, char, puts, two, objects = string.byte, string.sub, string.char, agent.puts, agent.two, agent.objects
local shapes, source = {}, {}

-- Compiles the source that came: number 0 runs once, others make the function that is called by this number.
local function compile(shape)
  local at, pieces = 0, source
  source = {}
  local chunk, text = load(function()
    at = at + 1
    return pieces[at]
  end, "=lua")
  if not chunk then error(text, 0) end
  if shape > 0 then
    chunk = chunk(agent)
    shapes[shape] = chunk
  end
  return chunk
end

local function run(message, shape)
  return (shapes[shape] or compile(shape))(agent.values(message, 4))
end

-- Ends a call. A function that returns `agent` itself does so later, by the number it found in `agent.call`.
local function answer(call, ok, ...)
  if ok and ... == agent then return end
  if call > 0 then
    agent.send(char(ok and @REPLY@ or @FAILURE@, call) .. puts(...))
  elseif not ok then
    agent.fault(...)
  end
end

function agent.answer(...)
  local ok, text = pcall(answer, ...)
  if not ok then answer(..., false, text) end
end

function agent.fault(...)
  agent.send(char(@FAULT@) .. puts(...))
end

-- Something happened to an object.
function agent.emit(number, event, ...)
  agent.send(char(@EVENT@) .. two(number) .. char(event) .. puts(...))
end

-- Lua calls a function of the host. A flood is cut off, and says so once.
function agent.invoke(number, ...)
  if agent.waiting() < 24 then
    agent.send(char(@INVOKE@) .. two(number) .. puts(...))
  elseif not agent.flooded then
    agent.flooded = true
    agent.fault("callbacks dropped")
  end
end

function agent.dispatch(message)
  local op, a, b, c, d = byte(message, 1, 5)
  if op == @CALL@ then
    agent.call = a
    agent.answer(a, pcall(run, message, b))
  elseif op == @SOURCE@ then
    source[#source + 1] = sub(message, 2)
  elseif op == @TUNE@ then
    agent.fragment, agent.patience = a, b * 10
  elseif op == @FORGET@ then
    shapes[a] = nil
  elseif op == @STOP@ then
    agent.stop()
  else
    a = a * 256 + b
    if op == @GRANT@ then
      if agent.granted then agent.granted(a, c * 256 + d) end
    elseif op == @RELEASE@ then
      if agent.released then agent.released(a) end
      objects[a] = nil
    end
  end
end
