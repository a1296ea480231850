-- TCP servers: each accepted socket is taken in before anything can happen to it, and then told to the host.
local agent = ...
local room = agent.net

function agent.net.server(timeout)
  local server = net.createServer(timeout or 30)
  room.books[agent.keep(server)] = { credit = 0 }
  return server
end

function agent.net.listen(number, credit, port, ip)
  local function accept_CB(socket)
    room.adopt(socket, credit, true)
    agent.emit(number, @EVENT_ACCEPT@, socket)
  end
  local server = agent.objects[number]
  if ip then
    server:listen(port, ip, agent.guard(accept_CB))
  else
    server:listen(port, agent.guard(accept_CB))
  end
end

return function() end
