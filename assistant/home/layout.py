"""Which names in an Imprint home are content, and which belong to running processes or can be made again."""

from pathlib import PurePosixPath

APP = "app.json"
APP_LOCK = "app.lock"
RESTORE_LOCK = "restore.lock"  # held by one restore or repair from its beginning to its end
SWAP_LOCK = "swap.lock"  # held while content is moved, or mended: nobody else uses the home then
GIVE_WAY = "give-way.json"  # which restore asks the app and the server to end
JOURNAL = "restore.json"
USES = ".in-use"
STAGING = ".restoring-"  # what a restore has not yet put into its place
BEFORE_RESTORE = "before-restore-"  # what a restore has replaced
DAMAGED = "damaged-"  # what a repair has put aside
DATABASE_COPIES = "database-copies"  # made before each change of the schema
MODELS = "models"

DATABASES = ("conversations.sqlite3", "knowledge/*.sqlite3")
# What Imprint itself writes at the top of a home; a folder that holds anything else is not Imprint's own.
_OWN = {
    *("settings.json", "conversations.sqlite3", "conversations.sqlite3-wal", "conversations.sqlite3-shm"),
    *(
        "prompts.json",
        "prompt-templates.json",
        "arms.json",
        "notes.jsonl",
        ".notes.jsonl.lock",
        "consolidation.json",
        "checkpoints",
        "jobs",
        "knowledge",
        "questions",
        "evaluations",
        "reports",
    ),
    *("files", "lost+found", APP, APP_LOCK, RESTORE_LOCK, SWAP_LOCK, GIVE_WAY, JOURNAL, USES),
    *(DATABASE_COPIES, MODELS),
}
_RUNTIME = {APP, GIVE_WAY, JOURNAL, DATABASE_COPIES, "lost+found"}
_OF_A_RUNNING_JOB = {"worker.json", "reserve", "state"}


def is_own(name: str) -> bool:
    """Whether Imprint writes this name at the top of a home."""
    return name in _OWN or name.startswith((STAGING, BEFORE_RESTORE, DAMAGED))


def is_content(path: PurePosixPath, *, with_models: bool = False) -> bool:
    """Whether a path relative to the home belongs into a backup.

    Left out are locks, temporary and hidden names, the vectors (they are computed again from the stored
    passages), what a job needs only while it runs, and the converted models unless `with_models`.
    """
    parts = path.parts
    first, second = parts[0], parts[1] if len(parts) > 1 else ""
    if any(part.startswith(".") for part in parts) or first in _RUNTIME:
        return False
    if first.startswith((BEFORE_RESTORE, DAMAGED)) or (first == MODELS and not with_models):
        return False
    if len(parts) <= 2 and path.name.endswith((".lock", ".sqlite3-wal", ".sqlite3-shm")):
        return False
    if first == "knowledge" and second.startswith("chroma") and not second.endswith(".sqlite3"):
        return False
    return not (first == "jobs" and len(parts) > 2 and parts[2] in _OF_A_RUNNING_JOB)


def is_database(path: PurePosixPath) -> bool:
    """Whether a path relative to the home is a database that processes may be writing."""
    return any(
        path.match(pattern) and len(path.parts) == len(PurePosixPath(pattern).parts) for pattern in DATABASES
    )
