"""The homes that this process has open: one workspace each, so that one model serves whoever asks for it."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from assistant.home.use import PROGRAM, use_home
from assistant.settings import home_folder, load_settings
from assistant.workspace import Workspace


@dataclass(frozen=True)
class _Opened:
    workspace: Workspace
    use: ExitStack  # the mark by which a restore sees that this process uses the home


_OPENED: dict[Path, _Opened] = {}
_LOCK = threading.Lock()


def folder_of(path: Path | str | None) -> Path:
    """The home that is meant: the folder given, or the one of the environment, or the platform's."""
    return home_folder() if path is None else Path(path).expanduser().absolute()


def workspace_of(path: Path | str | None = None) -> Workspace:
    """The workspace of a home, opened at the first call. Raises AssistantError, SettingsError."""
    home = folder_of(path)
    with _LOCK:
        if home not in _OPENED:
            settings = load_settings(home)
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with ExitStack() as use:
                use.enter_context(use_home(home, PROGRAM))
                _OPENED[home] = _Opened(Workspace(settings), use.pop_all())
        return _OPENED[home].workspace


def close(path: Path | str | None = None) -> None:
    """Close the model and the indexes of a home; what is asked later opens it anew."""
    with _LOCK:
        opened = _OPENED.pop(folder_of(path), None)
    if opened is not None:
        with opened.use:
            opened.workspace.close()
