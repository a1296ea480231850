-- Before the first piece. Compiling and checking are twice as quick at 160 MHz. And while the agent is loaded, 5.1 collects
-- when the agent and its source have taken 12 000 bytes: not before each allocation, as it does by itself, and early
-- enough that the bootstrap never needs 16 KB.
local agent = ...
if node.getcpufreq and @MHZ@ > 0 then
  agent.mhz = node.getcpufreq()
  node.setcpufreq(@MHZ@)
end
if node.egc then node.egc.setmode(node.egc.ON_MEM_LIMIT, 12000 - node.heap()) end
