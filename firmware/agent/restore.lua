-- The agent could not be loaded: what prepare.lua did is undone.
local agent = ...
if agent.mhz then node.setcpufreq(agent.mhz) end
if node and node.egc then node.egc.setmode(node.egc.ALWAYS, 4096) end
