"""What a provisioning file says: its keys and their types. Paths are relative to the file's folder."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from bridge.yaml_file import Strict

Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
TcpPort = Annotated[int, Field(ge=1, le=65535)]
_WHERE = "{env: NAME}, {file: PATH} or {keyring: SERVICE, user: NAME}"


class SecretSource(Strict):
    """Where a secret is; never the secret itself."""

    env: Text | None = Field(default=None, description="Name of an environment variable.")
    file: Text | None = Field(default=None, description="File whose first line it is; only its owner may read it.")
    keyring: Text | None = Field(default=None, description="Service name in the system's keyring.")
    user: Text | None = Field(default=None, description="User name in the keyring.")

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        if sum(source is not None for source in (self.env, self.file, self.keyring)) != 1:
            raise ValueError(f"must say where the secret is, in one way: {_WHERE}")
        if (self.keyring is None) != (self.user is None):
            raise ValueError("keyring and user belong together")
        return self


class Wifi(Strict):
    """The network that the board joins."""

    ssid: Annotated[str, Field(min_length=1, max_length=32)] = Field(description="Name of the network.")
    password: SecretSource | None = Field(default=None, description="Where its password is; none for an open network.")
    seconds: Seconds = Field(default=30, description="How long the board has to get an address.")

    @field_validator("password", mode="before")
    @classmethod
    def _not_itself(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, dict | SecretSource):
            raise ValueError(f"must say where the password is, and must not be it: {_WHERE}")
        return value


class Connect(Strict):
    """A host that the board must be able to reach by TCP."""

    host: Text = Field(description="Address or name, as the board resolves it.")
    tcp_port: TcpPort
    seconds: Seconds = Field(default=15, description="How long that may take.")


class Checks(Strict):
    """What must be true at the end."""

    node_info: bool = Field(default=True, description="The firmware's modules are those of the image.")
    address: bool | None = Field(default=None, description="Wi-Fi got an address. By default where `wifi` is given.")
    connect: list[Connect] = Field(default_factory=list)


class Common(Strict):
    """Keys that may stand for all boards and for one; the one's come first."""

    profile: Text | None = Field(default=None, description="Kind of board: a name of device_profiles, or a YAML file.")
    image: Text | list[Text] | None = Field(
        default=None, description="Firmware: one combined image, or the two of a local build."
    )
    baud: Annotated[int, Field(ge=9600)] | None = Field(default=None, description="Speed for writing the firmware.")
    lose_files: bool | None = Field(
        default=None, description="Write the firmware although files on the board, which are not in this file, go."
    )
    erase: bool | None = Field(
        default=None,
        description="Erase the whole flash of a board whose prompt does not answer, as one whose own program holds it.",
    )
    folder: Text | None = Field(default=None, description="Folder whose files all go to the board.")
    files: dict[Text, Text] | None = Field(default=None, description="Name on the board: file here.")
    lfs: Text | None = Field(default=None, description="LFS image, made elsewhere by luac.cross.")
    wifi: Wifi | None = None
    startup: Text | None = Field(default=None, description="Script that becomes init.lua.")
    checks: Checks | None = None


class BoardEntry(Common):
    """A board."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="What it is called in progress, logs and the report."
    )
    port: Text | None = Field(default=None, description="URL of its port.")
    usb_path: Text | None = Field(default=None, description="Where its adapter is plugged in; see `boards`.")
    serial_number: Text | None = Field(default=None, description="Its adapter's serial number; see `boards`.")
    mac: Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")] | None = Field(
        default=None, description="The MAC address it must have; without a place, the board is looked for by it."
    )

    @model_validator(mode="after")
    def _one_place(self) -> BoardEntry:
        places = sum(place is not None for place in (self.port, self.usb_path, self.serial_number))
        if places > 1 or (not places and self.mac is None):
            raise ValueError("must have one of port, usb_path and serial_number, or mac alone")
        return self


class ShelfFile(Common):
    """A provisioning file."""

    version: Literal[1] = Field(default=1, description="Of these keys.")
    boards: Annotated[list[BoardEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _names(self) -> ShelfFile:
        for key in ("name", "port", "usb_path", "serial_number", "mac"):
            values = [getattr(board, key) for board in self.boards if getattr(board, key) is not None]
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"two boards have the {key} {twice}")
        return self
