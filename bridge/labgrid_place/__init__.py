"""Racks on more than one machine: boards at places of labgrid, the engine that knows coordinators and exporters.

labgrid brings a pyserial of its own that overwrites the usual one, so it lives in a virtual environment of its own, in
which this package is installed as well (`bridge.labgrid_place.environment`). Two ways lead to a board there:

- labgrid's way, in that environment: `resource`, `driver` and `strategy` are what an environment file of labgrid names.
- this package's way, from any environment: `rack` leases places of a coordinator. The process that has the place, its
  keeper (`keeper`), runs in labgrid's environment; its holder speaks to it and to a port that it serves.

Only `resource`, `driver`, `strategy`, `coordinator`, `env_file`, `turn`, `prepare` and `keeper` import labgrid.
"""
