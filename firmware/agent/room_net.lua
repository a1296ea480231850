-- TCP sockets: callbacks that miss nothing, credit, sends that wait for room, closing that loses nothing.
-- The books are kept by handle number; callbacks know their number and never their socket, so that a socket that was
-- let go can be collected.
local agent = ...
local emit, objects, answer, guard = agent.emit, agent.objects, agent.answer, agent.guard
local sockets = {}
local room = { books = sockets }
agent.net = room

local function callback(number, event, f)
  return guard(function(_, ...)
    (f or emit)(number, event, ...)
  end)
end

-- One window may still come after `hold` (TCP_WND, recording net_hold): so much credit is kept in reserve.
local function receive_CB(number, event, data)
  emit(number, event, data)
  local book = sockets[number]
  book.credit = book.credit - #data
  if book.credit < 5840 and not book.held then
    book.held = true
    objects[number]:hold()
  end
end

function agent.granted(number, amount)
  local book = sockets[number]
  if not book then return end
  book.credit = book.credit + amount
  if book.held and book.credit >= 5840 then
    book.held = nil
    if not book.kept and book.open then objects[number]:unhold() end
  end
end

-- Gives the stack what waits, as far as it has room.
local function pump(number)
  local book, socket = sockets[number], objects[number]
  local entry = book[1]
  while entry do
    local ok, text = pcall(socket.send, socket, entry.data)
    if not ok then
      book.tries = book.tries - 1
      if book.tries > 0 then return end
    end
    table.remove(book, 1)
    answer(entry.call, ok, text)
    book.tries = 8
    entry = book[1]
  end
  if book.closing then
    answer(book.closing, pcall(socket.close, socket))
    book.closing, book.open = nil, nil
  end
end

local function sent_CB(number, event)
  emit(number, event)
  sockets[number].tries = 8
  pump(number)
end

local function ended_CB(number, event, code)
  local book = sockets[number]
  book.open = nil
  emit(number, event, code)
  for at, entry in ipairs(book) do
    book[at] = nil
    answer(entry.call, false, "not connected")
  end
  if book.closing then answer(book.closing, true) end
  book.closing = nil
end

local function open_CB(number, event)
  sockets[number].open = true
  emit(number, event)
end

-- Takes a socket in: its callbacks are there before anything can happen to it.
function room.adopt(socket, credit, open)
  local number = agent.keep(socket)
  sockets[number] = { credit = credit, tries = 8, open = open }
  socket:on("connection", callback(number, @EVENT_CONNECTION@, open_CB))
  socket:on("reconnection", callback(number, @EVENT_RECONNECTION@, ended_CB))
  socket:on("disconnection", callback(number, @EVENT_DISCONNECTION@, ended_CB))
  socket:on("receive", callback(number, @EVENT_RECEIVE@, receive_CB))
  socket:on("sent", callback(number, @EVENT_SENT@, sent_CB))
  socket:on("dns", callback(number, @EVENT_DNS@))
  return number
end

function agent.net.socket(credit)
  local socket = net.createConnection(net.TCP, 0)
  room.adopt(socket, credit)
  return socket
end

-- Ends when the stack has taken the data. What it has no room for waits here, for the next `sent`, or for a quarter
-- of a second when none is to come.
function agent.net.send(number, data)
  local book, socket = sockets[number], objects[number]
  if not book[1] and not book.closing then
    local ok, text = pcall(socket.send, socket, data)
    if ok then return end
    if not book.open then error(text, 0) end
  end
  book[#book + 1] = { data = data, call = agent.call }
  if not room.timer then
    room.timer = tmr.create()
    room.timer:alarm(250, tmr.ALARM_AUTO, guard(room.retry))
  end
  return agent
end

function room.retry()
  local busy
  for number, book in pairs(sockets) do
    if book[1] then
      busy = true
      pump(number)
    end
  end
  if not busy then
    room.timer:unregister()
    room.timer = nil
  end
end

-- Closes when everything given to `send` before is with the stack. The stack answers data that nobody took with a
-- reset, so a held socket is let go first.
function agent.net.close(number)
  local book, socket = sockets[number], objects[number]
  if book.held or book.kept then pcall(socket.unhold, socket) end
  if book[1] then
    book.closing = agent.call
    return agent
  end
  book.open = nil
  socket:close()
end

function agent.net.hold(number)
  sockets[number].kept = true
  objects[number]:hold()
end

function agent.net.unhold(number)
  local book = sockets[number]
  book.kept = nil
  if not book.held then objects[number]:unhold() end
end

-- The host has let a handle go.
function agent.released(number)
  local object = objects[number]
  if sockets[number] and object then
    sockets[number] = nil
    for _, event in ipairs { "connection", "reconnection", "disconnection", "receive", "sent", "dns" } do
      pcall(object.on, object, event, nil)
    end
    pcall(object.close, object)
  end
end

return function() end
