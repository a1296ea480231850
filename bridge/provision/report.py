"""What a provisioning run did, for people and programs; holds no secrets."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Identity(_Model):
    """Which board it is, and what is on it. What nothing told is null."""

    mac: str | None = None
    """As "5c:cf:7f:00:11:22"."""
    chip_id: str | None = None
    """Hexadecimal, as `node.chipid()`."""
    chip: str | None = None
    """As esptool names it; told only when it was asked."""
    flash_bytes: int | None = None
    version: str | None = None
    release: str | None = None
    commit: str | None = None
    lua: str | None = None
    modules: list[str] = []
    ip: str | None = None


class BoardReport(_Model):
    """One board."""

    name: str
    port: str | None
    """URL of its port; null if it was not found."""
    profile: str | None
    ready: bool
    """Everything is as the file says, and all checks passed."""
    changed: list[str]
    """What was written: firmware, wifi, files, lfs, startup. Nothing on a board that was ready."""
    files: list[str]
    """Names of the files that were written, the startup script among them."""
    verified: bool
    """The flash itself was compared, and not only what the board tells with what is known of it."""
    files_lost: bool
    """Files that were on the board before went with its old layout."""
    checks: list[str]
    """Those that passed."""
    error: str | None
    """Why it is not ready; then running the same command again goes on from there."""
    seconds: float
    identity: Identity


class ShelfReport(_Model):
    """A run."""

    file: str
    """The provisioning file."""
    ready: bool
    """All boards are."""
    seconds: float
    boards: list[BoardReport]
