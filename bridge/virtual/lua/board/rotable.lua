-- Read-only tables in ROM (rotables): a stand-in table that shows the entries of a hidden one, in declared order.
local B = ...
local rawset, rawget, setmetatable, getmetatable = rawset, rawget, setmetatable, getmetatable
local hide, error = B.hide, error
local raw_next = next
B.raw_next = raw_next
local entries = setmetatable({}, {__mode = "k"})   -- stand-in -> hidden table
local orders = setmetatable({}, {__mode = "k"})    -- stand-in -> {keys}, {key -> position}
local metas = setmetatable({}, {__mode = "k"})     -- stand-in -> metatable the chip would show
B.rotables = entries
-- Functions in ROM: 2.x has a type of its own for them, and for tables in ROM (app/lua/ltm.c of release 2.2.1).
local light = setmetatable({}, {__mode = "k"})
local raw_type = type
function B.type_2x(value)
  local name = raw_type(value)
  if name == "table" and entries[value] then return "romtable" end
  return name == "function" and light[value] and "lightfunction" or name
end

-- 5.3 has another text where a new key would be added (ltable.c luaH_newkey).
local readonly = hide(function(t, key)
  error(B.is_53 and entries[t][key] == nil and "table is Readonly" or "table is readonly", 2)
end)

-- Make `values` (fields by name, listed in `order`) a read-only table; `meta` is its metatable on the chip, or nil.
function B.rotable(values, order, meta)
  local stand_in = {}
  local position = {}
  if B.is_2x then
    for _, value in raw_next, values do
      if raw_type(value) == "function" then light[value] = true end
    end
  end
  for k = 1, #order do position[order[k]] = k end
  entries[stand_in], orders[stand_in], metas[stand_in] = values, {order, position}, meta
  local index = values
  if meta and meta.__index then setmetatable(values, {__index = meta.__index}) end
  setmetatable(stand_in, {__index = index, __newindex = readonly, __metatable = false})
  return stand_in
end

function B.extend_rotable(stand_in, key, value)
  local order, position = orders[stand_in][1], orders[stand_in][2]
  if not position[key] then order[#order + 1] = key position[key] = #order end
  entries[stand_in][key] = value
  if B.is_2x and raw_type(value) == "function" then light[value] = true end
end

local function rotable_next(t, key)
  local order, position = orders[t][1], orders[t][2]
  local k = key == nil and 0 or position[key]
  if not k then return nil, "unable to find key" end
  repeat
    k = k + 1
    key = order[k]
  until key == nil or entries[t][key] ~= nil
  if key == nil then return nil end
  return key, entries[t][key]
end
B.rotable_next = rotable_next

function B.rotable_meta(t) return metas[t] end
