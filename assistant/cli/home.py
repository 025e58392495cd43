"""`imprint backup`, `restore` and `doctor`: they run where settings or databases are damaged."""

import time
from collections import Counter
from pathlib import Path

import click

from assistant.cli.output import emit, json_option, progress, say, seconds_text
from assistant.errors import BackupError
from assistant.home.privacy import make_private
from assistant.workspace import Workspace

_FILE = click.Path(dir_okay=False, path_type=Path)
_MARKS = {"ok": "✓", "note": "·", "damaged": "✗", "mended": "+"}


@click.command(epilog="Example: imprint backup /mnt/stick/imprint.zip")
@click.argument("file", type=_FILE)
@click.option("--with-secrets", is_flag=True, help="Also the keys in the settings.")
@click.option("--with-models", is_flag=True, help="Also the converted base models, which can be made again.")
@json_option
@click.pass_context
def backup(context: click.Context, file: Path, with_secrets: bool, with_models: bool, as_json: bool) -> None:
    """Write everything that cannot be made again into one file.

    It may run while the app or a tuning job does. A backup of the same name is replaced once the new one is
    whole. The vectors of the documents are not in it: they are computed again when a knowledge base is opened.
    """
    from assistant.backup.create import create_backup

    began = time.monotonic()
    with progress("Backing up", 1) as advance:
        report = create_backup(
            _home(context),
            file,
            with_secrets=with_secrets,
            with_models=with_models,
            on_progress=lambda done, total: advance(done, total or 1),
        )
    manifest, size = report.manifest, report.path.stat().st_size
    for path, why in (report.left_out | report.problems).items():
        say(f"{path}: {why}")
    if as_json:
        emit(
            {
                "file": report.path,
                "files": len(manifest.files),
                "bytes": report.bytes,
                "archive_bytes": size,
                "kept": _counts([entry.path for entry in manifest.files]),
                "left_out": [{"path": path, "reason": why} for path, why in report.left_out.items()],
                "problems": [{"path": path, "reason": why} for path, why in report.problems.items()],
                "with_secrets": with_secrets,
                "with_models": with_models,
                "seconds": round(time.monotonic() - began, 3),
            }
        )
        return
    say(f"{len(manifest.files)} files, {size / 1e6:.1f} MB, are in {report.path}.")
    if not with_secrets:
        say("Keys and passwords of the settings are not in it; --with-secrets keeps them too.")


@click.command(epilog="Example: imprint restore /mnt/stick/imprint.zip")
@click.argument("file", type=_FILE)
@json_option
@click.pass_context
def restore(context: click.Context, file: Path, as_json: bool) -> None:
    """Put a backup in the place of what is there, which is kept.

    The file is checked whole before anything is moved. It may run while the app or `imprint serve` does: they start
    again with what was restored. Commands that run are waited for; tuning jobs go on.
    """
    from assistant.backup.restore import restore_backup

    home, began = _home(context), time.monotonic()
    with progress("Restoring", 1) as advance:
        report = restore_backup(home, file, on_progress=lambda done, total: advance(done, total or 1))
    make_private(home)
    paths = [entry.path for entry in report.manifest.files]
    if as_json:
        emit(
            {
                "home": home,
                "files": len(paths),
                "bytes": sum(entry.size for entry in report.manifest.files),
                "restored": _counts(paths),
                "created": report.manifest.created,
                "version": report.manifest.version,
                "kept": report.kept,
                "running_jobs": list(report.running),
                "seconds": round(time.monotonic() - began, 3),
            }
        )
        return
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(report.manifest.created))
    say(f"{len(paths)} files of {when} are in {home} ({seconds_text(time.monotonic() - began)}).")
    for job in report.running:
        say(f"The tuning job {job} went on; it is not part of the backup.")
    if report.kept is not None:
        say(f"What was there before is in {report.kept}; delete it when you miss nothing.")


@click.command(epilog="Example: imprint doctor --mend")
@click.option(
    "--mend", is_flag=True, help="Mend what can be mended; what is damaged is put aside, not deleted."
)
@json_option
@click.pass_context
def doctor(context: click.Context, mend: bool, as_json: bool) -> None:
    """Check the whole home, and say or mend what is damaged.

    Without --mend nothing of yours is changed. With it nothing else may use the home meanwhile. The exit status is 1
    when something is damaged and was not mended.
    """
    from assistant.doctor.examination import examine, examine_alone  # heavy: chromadb

    home = _home(context)
    if not home.is_dir():
        raise BackupError(f"There is no home to examine: {home} does not exist. Set IMPRINT_HOME.")
    found = []
    for finding in examine_alone(home, lambda _: True) if mend else examine(home):
        found.append(finding)
        if not as_json and finding.status != "ok":
            click.echo(
                f"{_MARKS[finding.status]} {finding.status:8} {finding.part} {finding.name}: {finding.message}"
            )
    damaged = [finding for finding in found if finding.status == "damaged"]
    if as_json:
        emit(
            {
                "home": home,
                "healthy": not damaged,
                "findings": [
                    {
                        "part": finding.part,
                        "name": finding.name,
                        "status": finding.status,
                        "message": finding.message,
                        "can_be_mended": finding.mend is not None,
                    }
                    for finding in found
                ],
            }
        )
    else:
        say(_summary(len(found), len(damaged), any(finding.mend for finding in damaged)))
    if damaged:
        context.exit(1)


def _summary(examined: int, damaged: int, can_be_mended: bool) -> str:
    if not damaged:
        return f"{examined} parts were examined; nothing is damaged."
    advice = " `imprint doctor --mend` mends what can be mended." if can_be_mended else ""
    return f"{examined} parts were examined; {damaged} are damaged.{advice}"


def _home(context: click.Context) -> Path:
    workspace = context.find_object(Workspace)
    if workspace is not None:
        return workspace.home
    from assistant.settings import home_folder  # heavy: pydantic

    return home_folder()


def _counts(paths: list[str]) -> dict[str, int]:
    """Conversations, checkpoints and the like: how many files of each part."""
    return dict(Counter(path.partition("/")[0] for path in paths))
