-- TCP servers: each accepted socket is taken in before anything can happen to it, and then told to the host.
local agent = ...

function agent.net.server(timeout)
  local number = agent.keep(net.createServer(timeout or 30))
  agent.books[number] = {}
  return number
end

function agent.net.listen(number, credit, port, ip)
  local accept_CB = agent.guard(function(socket)
    agent.emit(number, @EVENT_ACCEPT@, agent.adopt(socket, credit, true))
  end)
  local server = agent.objects[number]
  if ip then
    server:listen(port, ip, accept_CB)
  else
    server:listen(port, accept_CB)
  end
end

return function() end
