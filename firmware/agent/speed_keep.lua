-- The new speed of the line has been proven both ways.
local agent = ...
agent.guard:unregister()
agent.guard = nil
