-- UDP sockets. A datagram beyond the credit is dropped, as a network may; the host is told once.
local agent = ...

function agent.net_udp()
  local socket = net.createUDPSocket()
  local number = agent.keep(socket)
  local book = { number, @CREDIT@ }
  agent.books[socket] = book
  local function happened(event, data, ...)
    if event == @EVENT_RECEIVE@ then
      if book[2] < #data + @EVENT_COST@ then
        if not book[3] then
          book[3] = true
          error("a datagram was dropped", 0)
        end
        return
      end
      book[2] = book[2] - #data - @EVENT_COST@
      book[3] = nil
    end
    agent.send(@EVENT@, agent.two(number) .. string.char(event), data, ...)
  end
  for event, name in pairs { [@EVENT_RECEIVE@] = "receive", [@EVENT_SENT@] = "sent", [@EVENT_DNS@] = "dns" } do
    socket:on(name, function(_, ...)
      agent.try(happened, event, ...)
    end)
  end
  return number
end
