-- Runs what room_store.lua has compiled, once, with the values.
local agent = ...
return function(...)
  local code = agent.code
  agent.code = nil
  return code(...)
end
