-- The host lets a handle go: its object is closed if that can be done, and forgotten.
local agent = ...
local objects = agent.objects

function agent.release(number)
  local object = objects[number]
  objects[number] = nil
  if agent.books and agent.books[number] then
    agent.books[number] = nil
    pcall(object.close, object)
  end
end

return function() end
