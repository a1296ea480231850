-- TCP servers: each accepted socket is taken in before anything can happen to it, and then told to the host.
local agent = ...

function agent.net_server(message)
  local timeout = tonumber(message:sub(3))
  -- Firmware 3.x, which has `net.ifinfo`, takes its first argument as the timeout; 2.x wants the type before it.
  local server = net.createServer(net.ifinfo and timeout or net.TCP, timeout)
  agent.books[server] = { agent.keep(server) }
  return agent.books[server][1]
end

function agent.net_listen(message)
  local server, number, port = agent.find(message, 3)
  -- The stack keeps this function until the server is collected, so it must not hold the server. It holds what takes
  -- sockets in, as that room may go.
  local take, refused = agent.net_socket
  local function accept_CB(socket)
    agent.try(function()
      if node.heap() < 4000 and collectgarbage() and node.heap() < 4000 then
        -- The stack makes the next one outside of any protection: with less than this the board might restart.
        socket:close()
        if refused then return end
        refused = true
        error("clients were turned away: not enough memory", 0)
      end
      refused = nil
      agent.happened(@EVENT_ACCEPT@, agent.objects[number], take(nil, socket))
    end)
  end
  if #message > 6 then
    server:listen(port, message:sub(7), accept_CB)
  else
    server:listen(port, accept_CB)
  end
end
