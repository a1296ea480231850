-- Makes room for a handshake: what is free comes back, or 0 while events wait or are to come from a socket that may go on.
local agent = ...

function agent.tls_room()
  agent.tight = true
  for other, book in pairs(agent.books) do
    if not book[4] and other.hold then
      book[4] = 0
      other:hold()
    end
  end
  collectgarbage()
  return (agent.line[1] or agent.opened) and 0 or node.heap()
end
