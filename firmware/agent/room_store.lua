-- Source that is too long for the heap waits in a file until it is compiled, piece by piece.
local agent = ...
local out

local function let_go()
  if out then out:close() end
  out = nil
  file.remove("nodemcu-bridge.tmp")
end

function agent.store_write(message)
  out = out or file.open("nodemcu-bridge.tmp", "w")
  if not (out and out:write(message:sub(3))) then
    let_go()
    error("no room in the file system", 0)
  end
end

-- Compiles it under the name in the message.
function agent.store_load(message)
  out:close()
  out = file.open("nodemcu-bridge.tmp", "r")
  local ok, code, text = pcall(load, function()
    return out:read(256)
  end, "=" .. message:sub(3))
  let_go()
  if not (ok and code) then error(text or code, 0) end
  agent.code = code
end

function agent.store_drop()
  agent.code = nil
  let_go()
end
