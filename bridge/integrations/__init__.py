"""Libraries that bring their own idea of a connection, over the network of a board: each module needs the library whose
name it has, which the extra of that name installs (`pip install nodemcu-bridge[httpx]`).
"""
