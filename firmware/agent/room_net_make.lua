-- TCP sockets that are made, and connect.
local agent = ...

-- Takes a socket in, which a server has accepted, or makes one: its callbacks are there before anything can happen to it.
function agent.net_socket(_, accepted)
  local socket = accepted or net.createConnection()
  local number = agent.keep(socket)
  agent.books[socket] = { number, @CREDIT@, accepted ~= nil, false, 1000 }
  -- One string takes 250 bytes less than a list of six.
  local event = 0
  for name in ("@SOCKET_EVENTS@"):gmatch "%a+" do
    event = event + 1
    socket:on(name, agent.calls[event])
  end
  if accepted then agent.given = nil end
  return number
end

-- A new connection may bring a window at once, too, so it waits until what others brought has nearly left.
function agent.net_connect(message)
  agent.find(message, 3)
  local next, last = { message, agent.call }, agent.dial
  if not last then
    agent.dial = next
  else
    while last[3] do
      last = last[3]
    end
    last[3] = next
  end
  return agent
end
