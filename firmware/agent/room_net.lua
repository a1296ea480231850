-- TCP and UDP sockets: callbacks that miss nothing, credit, sends that wait for room, closing that loses nothing.
-- Tables are by handle number; callbacks know their number, never their socket, so that a dropped socket can be
-- collected.
local agent = ...
local emit, objects, answer, post = agent.emit, agent.objects, agent.answer, node.task.post
local credit, held, queues, up, room = {}, {}, {}, {}, {}
agent.net = room

local function callback(number, event, f)
  return agent.guard(function(_, ...)
    (f or emit)(number, event, ...)
  end)
end

-- One window may still come after `hold` (TCP_WND, recording net_hold), so it is kept in reserve.
local function receive_CB(number, event, data)
  emit(number, event, data)
  local left = (credit[number] or 0) - #data
  credit[number] = left
  if left < 5840 and not held[number] then
    held[number] = true
    objects[number]:hold()
  end
end

function agent.granted(number, amount)
  local left = credit[number]
  if not left then return end
  left = left + amount
  credit[number] = left
  if held[number] and left >= 5840 then
    held[number] = nil
    if not room[number] then objects[number]:unhold() end
  end
end
return function() end
