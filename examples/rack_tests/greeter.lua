-- A server that greets each client by the text it was started with.
local text, port = ...
local server = net.createServer(net.TCP, 30)
server:listen(port, function(client)
  client:on("sent", function(sent) sent:close() end)
  client:send(text .. "\n")
end)
return server
