"""The link: a session and a port, pumping. Calls go out, replies come back, events find their handle.

`bridge.agent.start(port)` makes one: it finds the prompt, puts the agent on the board and hands over a `Link`.
`Caller` is what the mirror needs of it.
"""

from bridge.link.caller import CALL_TIMEOUT, Caller, EventReceiver
from bridge.link.facts import AgentFacts
from bridge.link.pump import Link

__all__ = ["CALL_TIMEOUT", "AgentFacts", "Caller", "EventReceiver", "Link"]
