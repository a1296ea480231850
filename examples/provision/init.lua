-- Runs at each start of the board. It leaves the console free, so that the next run can look at the board.
print("this board is " .. wifi.sta.getmac())
tmr.create():alarm(1000, tmr.ALARM_SINGLE, function() require("blink").start() end)
