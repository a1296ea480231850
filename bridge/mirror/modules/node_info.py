"""Tables that functions of `node` return, as TypedDicts (app/modules/node.c, release 3.0.0)."""

from __future__ import annotations

from typing import TypedDict


class Hardware(TypedDict):
    """`node.info("hw")`."""

    chip_id: int
    flash_id: int
    flash_size: int
    """KB."""
    flash_mode: int
    """0 QIO, 1 QOUT, 2 DIO, 15 DOUT."""
    flash_speed: int
    """Hz."""


class SoftwareVersion(TypedDict):
    """`node.info("sw_version")`."""

    node_version_major: int
    node_version_minor: int
    node_version_revision: int
    git_branch: str
    git_commit_id: str
    git_release: str
    git_commit_dts: str


class BuildConfig(TypedDict):
    """`node.info("build_config")`."""

    ssl: bool
    lfs_size: int
    """Bytes."""
    modules: str
    """Names, separated by commas."""
    number_type: str
    """"float" or "integer"."""


class LFSInfo(TypedDict):
    """`node.info("lfs")`, in bytes."""

    lfs_base: int
    lfs_mapped: int
    lfs_size: int
    lfs_used: int


class PartitionTable(TypedDict):
    """`node.getpartitiontable()`, in bytes."""

    lfs_addr: int
    lfs_size: int
    spiffs_addr: int
    spiffs_size: int


class Startup(TypedDict, total=False):
    """`node.startup`: what happens at the next start."""

    banner: bool
    """Print the banner."""
    frequency: int
    """Of the CPU, in MHz: 80 or 160."""
    delay_mount: bool
    """Mount the file system when it is first used."""
    command: str
    """"@file" or "=source" to run in place of init.lua; missing if there is none."""
