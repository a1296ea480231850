"""The heap model: what the 32-bit chip's heap would hold of what the host's VM holds, priced kind by kind."""
