-- Values that are rare: tables, functions, objects. agent.get and agent.put call these for what they do not know.
local agent = ...
local objects, two = agent.objects, agent.two

function agent.more(tag, n, data, at)
  if tag == 197 then
    tag = objects[n]
    if tag == nil then error("stale handle", 0) end
    return tag, at
  end
  if tag == 198 then
    -- Lua calls a function of the host. A flood is cut off, and says so once.
    return function(...)
      if #agent.queue < 24 then
        agent.send(@INVOKE@, two(n), ...)
      elseif not agent.flooded then
        agent.flooded = true
        agent.fault("calls of Python functions were dropped")
      end
    end, at
  end
  local map, key, value = {}
  for _ = 1, n do
    key, at = agent.get(data, at)
    value, at = agent.get(data, at)
    map[key] = value
  end
  return map, at
end

-- The same object has the same number, as long as the host keeps it.
function agent.deep(value, kind, depth)
  depth = depth or 0
  if kind == "table" then
    if depth > 7 then error("table too deep", 0) end
    local data, n = "", 0
    for key, item in pairs(value) do
      for _, one in ipairs { key, item } do
        kind = type(one)
        data = data .. (kind == "table" and agent.deep(one, kind, depth + 1) or agent.put(one))
      end
      n = n + 1
    end
    return "\199" .. two(n) .. data
  end
  if kind == "thread" then
    kind = tostring(value)
    return "\200" .. two(#kind) .. kind
  end
  for number, known in pairs(objects) do
    if known == value then return "\197" .. two(number) end
  end
  return "\197" .. two(agent.keep(value))
end

return function() end
