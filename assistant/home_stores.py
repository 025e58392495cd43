"""What one Imprint home keeps: settings, conversations, votes, checkpoints, jobs, models; no model is opened here.

Each is imported and opened when first needed, once, whatever thread asks first.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.chat.presets import Presets
from assistant.home.privacy import make_private
from assistant.home.swap import finish_restore
from assistant.lazy import IMPORT_LOCK, LockedCachedProperty
from tuning.models.template_options import use_template_options

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore
    from assistant.history.preferences import PreferenceStore
    from assistant.models.downloads import Downloads
    from assistant.settings import Settings
    from tuning.checkpoints.registry import Registry
    from tuning.jobs.jobs import Jobs
    from tuning.models.catalogue import CatalogueEntry
    from tuning.models.checks import ModelReport


class HomeStores:
    """The stores of one Imprint home. Safe to share between threads."""

    def __init__(self, settings: "Settings | None" = None) -> None:
        """`settings` default to those of the environment and the home."""
        if settings is None:
            from assistant.settings import home_folder, load_settings  # heavy: pydantic

            finish_restore(home_folder())
            settings = load_settings()
        else:
            finish_restore(settings.home)
        self.settings = settings
        self._use_template_options()
        make_private(settings.home)

    @property
    def home(self) -> Path:
        """The folder where everything is kept."""
        return self.settings.home

    @LockedCachedProperty
    def store(self) -> "ConversationStore":
        """The conversations."""
        from assistant.history.conversations import ConversationStore

        return ConversationStore(self.settings.conversations_path)

    @LockedCachedProperty
    def preferences(self) -> "PreferenceStore":
        """The votes between two answers."""
        from assistant.history.preferences import PreferenceStore

        return PreferenceStore(self.settings.conversations_path)

    @LockedCachedProperty
    def presets(self) -> Presets:
        """System prompts with worked examples."""
        return Presets(self.home)

    @LockedCachedProperty
    def registry(self) -> "Registry":
        """The checkpoints."""
        from tuning.checkpoints.registry import Registry

        return Registry(self.home)

    @LockedCachedProperty
    def jobs(self) -> "Jobs":
        """The tuning jobs."""
        from tuning.jobs.jobs import Jobs

        return Jobs(self.home, key_of=self._key_of)

    def catalogue(self) -> "list[CatalogueEntry]":
        """Base models at hand, and those that a hub would offer."""
        with IMPORT_LOCK:
            from tuning.models.catalogue import catalogue  # heavy: torch, transformers

        return catalogue(self.home)

    @LockedCachedProperty
    def downloads(self) -> "Downloads":
        """The models that are being fetched."""
        with IMPORT_LOCK:
            from assistant.models.downloads import Downloads  # heavy: torch, transformers

        return Downloads(self.home)

    def look_at_model(self, name: str) -> "ModelReport":
        """What a model is and needs, on this machine or on a hub. Raises ModelError."""
        with IMPORT_LOCK:
            from tuning.models.offers import look_at  # heavy: torch, transformers

        return look_at(name, self.home)

    def _key_of(self, url: str) -> str:
        """The key of a service's address, as the settings are now."""
        from assistant.engines.services import key_of

        return key_of(self.settings, url)

    def _use_template_options(self) -> None:
        """Let the chat templates of this process have the options of the settings."""
        use_template_options(json.loads(self.settings.template_options or "{}"))
