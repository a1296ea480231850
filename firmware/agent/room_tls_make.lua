-- TLS sockets that are made.
local agent = ...

function agent.tls_socket()
  if not tls then return end
  local socket = tls.createConnection()
  local number = agent.keep(socket)
  agent.books[socket] = { number, 0, false, 0, false, false, false }
  local last = 0
  for name in ("@SOCKET_EVENTS@"):gmatch "%a+" do
    local event = last + 1
    last = event
    socket:on(name, function(_, value)
      agent.try(agent.tls_happened, event, number, value)
    end)
  end
  return number
end
