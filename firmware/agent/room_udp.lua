-- UDP sockets. A datagram beyond the credit is dropped, as a network may; the host is told once.
local agent = ...

function agent.net.udp(credit)
  local socket = net.createUDPSocket()
  local number = agent.keep(socket)
  local book = { credit = credit }
  agent.books[number] = book
  local function on(name, event)
    socket:on(name, agent.guard(function(_, data, ...)
      if event == @EVENT_RECEIVE@ then
        if book.credit < #data then
          if not book.full then agent.fault("a datagram was dropped") end
          book.full = true
          return
        end
        book.credit = book.credit - #data
        book.full = nil
      end
      agent.emit(number, event, data, ...)
    end))
  end
  on("receive", @EVENT_RECEIVE@)
  on("sent", @EVENT_SENT@)
  on("dns", @EVENT_DNS@)
  return number
end

return function() end
