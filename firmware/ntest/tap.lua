-- Says what NTest reports in the dialect of TAP of the firmware's NTestTapOut.lua, and when each test begins and ends.
local number = 1

-- A line stays one, whatever a test is called or says: control characters are written as \010, and so is a backslash.
local function plain(text)
  return (tostring(text):gsub("[%c\\]", function(char) return ("\\%03d"):format(char:byte()) end))
end

return function(event, test, msg, why)
  local line
  test, msg, why = plain(test), plain(msg or ""), plain(why or "")
  if event == "pass" then
    line = ("ok %d %s # %s"):format(number, test, msg)
  elseif event == "fail" then
    line = ("not ok %d %s # %s: %s"):format(number, test, msg, why)
  elseif event == "except" then
    line = ("not ok %d %s # exn; %s: %s"):format(number, test, msg, why)
  elseif event == "abort" then
    line = ("Bail out! %d %s # exn; %s: %s"):format(number, test, msg, why)
  elseif event == "start" then
    number, line = 1, "# STARTUP " .. test
  elseif event == "finish" then
    -- One more than there were: so its authors' driver wants it.
    line = "POST 1.." .. number
  else
    line = "# " .. event .. " " .. test
  end
  if event == "pass" or event == "fail" or event == "except" then number = number + 1 end
  print("\nTAP: " .. line)
end
