"""Finds and reads profiles: those of the package, those in the user's folder, and any file."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bridge.errors import ProfileError, UsageError
from bridge.folders import profile_folder
from bridge.profile.model import Profile
from bridge.resources import resource
from bridge.yaml_file import read_yaml


def load_profile(name: str) -> Profile:
    """Read a profile.

    Args:
        name: a name, of the user's folder or of the package (the user's wins), or the path of a YAML file.

    Raises:
        ProfileError: there is none of this name, or the file is wrong; names file and key.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name:
        return read_profile(Path(name))
    path = _files().get(name)
    if path is None:
        remedy = f"Known: {', '.join(profile_names())}."
        with contextlib.suppress(UsageError):
            remedy += f" Your own go into {profile_folder()}."
        raise ProfileError(f"There is no profile {name}", remedy=remedy)
    return _named_as_its_file(path)


def profile_names() -> list[str]:
    """Names of the profiles there are, of the package and of the user's folder."""
    return sorted(_files())


def all_profiles() -> tuple[list[Profile], list[ProfileError]]:
    """Every profile there is, by name, and what is wrong with the files that are none.

    One bad file of the user's does not take the others away.
    """
    profiles, mistakes = [], []
    for _, path in sorted(_files().items()):
        try:
            profiles.append(_named_as_its_file(path))
        except ProfileError as error:
            mistakes.append(error)
    return profiles, mistakes


def read_profile(path: Path) -> Profile:
    """Read and check one file.

    Raises:
        ProfileError: it cannot be read or is wrong; names file, line and key.
    """
    return read_yaml(path, Profile, "a profile")


def _files() -> dict[str, Path]:
    """Name → file. A file of the user's takes the place of the package's."""
    try:
        own = profile_folder()
    except UsageError:  # without a home folder there are none of his own
        return _in(resource("device_profiles"))
    return {**_in(resource("device_profiles")), **_in(own)}


def _in(folder: Path) -> dict[str, Path]:
    try:
        paths = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ProfileError(
            f"The folder of profiles {str(folder)[:200]} cannot be read ({error.strerror})",
            remedy="Say where else with NODEMCU_BRIDGE_PROFILES.",
        ) from error
    return {path.stem: path for path in paths if path.suffix in (".yaml", ".yml")}


def _named_as_its_file(path: Path) -> Profile:
    profile = read_profile(path)
    if profile.name != path.stem:
        raise ProfileError(
            f"{path}: name: the profile is called {profile.name}, and its file is not",
            remedy=f"Call the file {profile.name}.yaml.",
        )
    return profile
