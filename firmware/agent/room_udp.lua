-- UDP sockets. A datagram beyond the credit is dropped, as a network may; the host is told once.
local agent = ...
local room = agent.net

function agent.net.udp(credit)
  local socket = net.createUDPSocket()
  local number = agent.keep(socket)
  local book = { credit = credit }
  room.books[number] = book
  socket:on("receive", agent.guard(function(_, data, port, ip)
    if book.credit < #data then
      if not book.full then agent.fault("a datagram was dropped") end
      book.full = true
      return
    end
    book.credit = book.credit - #data
    book.full = nil
    agent.emit(number, @EVENT_RECEIVE@, data, port, ip)
  end))
  socket:on("sent", agent.guard(function()
    agent.emit(number, @EVENT_SENT@)
  end))
  socket:on("dns", agent.guard(function(_, ip)
    agent.emit(number, @EVENT_DNS@, ip)
  end))
  return socket
end

return function() end
