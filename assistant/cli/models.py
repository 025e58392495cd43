"""`imprint models`: which models there are, what one needs, fetching one, and choosing one."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.models_allow import allow
from assistant.cli.options import workspace_of, yes_option
from assistant.cli.output import busy, emit, json_option, progress, say, seconds_text
from assistant.errors import AssistantError
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.models.downloads import DownloadTask
    from tuning.models.catalogue import CatalogueEntry, Recommendation
    from tuning.models.checks import ModelReport

_POLL_SECONDS = 0.2


@click.group(invoke_without_command=True, epilog="Example: imprint models --json")
@json_option
@workspace_of
@click.pass_context
def models(context: click.Context, workspace: Workspace, as_json: bool) -> None:
    """List the models that fit here; check, download or choose one.

    A model is a name of this list, a folder, a GGUF file, ollama:NAME, or a Hugging Face id: owner/name, and
    owner/name:Q4_K_M for one GGUF file of a repository.
    """
    if context.invoked_subcommand is None:
        with busy("Looking for models…"):
            entries = workspace.catalogue()
            best = _best(entries)
        if as_json:
            emit(_listing(entries, best, workspace.settings.base_model))
        else:
            _print(entries, best, workspace.settings.base_model)


models.add_command(allow)


@models.command(epilog="Example: imprint models check ~/models/qwen2.5-1.5b-instruct-q4_k_m.gguf")
@click.argument("name", metavar="MODEL")
@json_option
@workspace_of
def check(workspace: Workspace, name: str, as_json: bool) -> None:
    """Say what a model is and needs, before it is downloaded or opened."""
    with busy("Looking at the model…"):
        report = workspace.look_at_model(name)
    if as_json:
        emit(report.to_dict())
        return
    for line in described(report):
        click.echo(line)


@models.command(epilog="Example: imprint models download Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M")
@click.argument("name", metavar="MODEL")
@yes_option
@json_option
@workspace_of
def download(workspace: Workspace, name: str, yes: bool, as_json: bool) -> None:
    """Fetch a model from the hub, after asking. Ctrl-C stops it; the next time it goes on from there."""
    fetch_model(workspace, name, yes=yes)
    if as_json:
        emit({"model": name, "status": "here"})
    else:
        say(f"{name} is on this machine. Use it: imprint models use {name}")


@models.command(epilog="Example: imprint models use smollm2-135m-instruct")
@click.argument("name", metavar="MODEL")
@yes_option
@json_option
@workspace_of
def use(workspace: Workspace, name: str, yes: bool, as_json: bool) -> None:
    """Choose the model that answers and is tuned. It is opened first: one that fails changes nothing."""
    fetch_model(workspace, name, yes=yes)
    with busy("Opening the model…"):
        workspace.use_model(name)
    if as_json:
        emit({"model": name, "status": "chosen"})
    else:
        say(f"{name} answers from now on.")


def fetch_model(workspace: Workspace, name: str, *, yes: bool, to_tune: bool = False) -> None:
    """Fetch a model that is not on this machine, where that is confirmed. Raises AssistantError, ModelError."""
    with busy("Looking at the model…"):
        report = workspace.look_at_model(name)
    if to_tune and report.cannot_tune:
        raise AssistantError(report.cannot_tune)
    if report.is_here:
        return
    if not yes:
        for line in described(report):
            say(line)
        _confirm(f"Download {name}, {_gb(report.download_bytes)}?", name)
    task = workspace.downloads.begin(name, is_checked=True)
    try:
        _follow(task, name)
    except KeyboardInterrupt:
        task.stop()
        task.wait()
    if task.error:
        raise AssistantError(task.error)
    if task.stopping:
        raise AssistantError(
            f"The download of {name} was stopped. What was fetched is kept: run the command again to go on."
        )


def described(report: "ModelReport") -> list[str]:
    """What a model is and needs, as lines."""
    fits_tune = report.tune_bytes <= report.free_bytes
    lines = [
        f"{report.name}: {report.architecture}, {_count(report.parameters)} parameters, window "
        f"{report.window:,} tokens, {_license(report.license)}",
        f"  to chat: {_gb(report.chat_bytes)} of memory, {_fits(report.fits_chat, report.free_bytes)}",
        f"  to tune: {_gb(report.tune_bytes)} of memory, {_fits(fits_tune, report.free_bytes)}",
    ]
    if report.download_bytes:
        lines.append(
            f"  to download: {_gb(report.download_bytes)}, {_fits(report.fits_disk, report.disk_free)}"
        )
    if report.convert_bytes:
        lines.append(f"  to be tuned it is converted once: {_gb(report.convert_bytes)} of disk")
    if report.cannot_tune:
        lines.append(f"  cannot be tuned: {report.cannot_tune}")
    return lines


def _confirm(question: str, name: str) -> None:
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise AssistantError(
            f"The model {name} was not downloaded: that was not confirmed. With --yes nothing is asked."
        )


def _follow(task: "DownloadTask", name: str) -> None:
    with progress(f"Downloading {name}", 1) as advance:
        while not task.wait(_POLL_SECONDS):
            left = task.seconds_left
            rest = f", {seconds_text(left)} left" if left is not None else ""
            advance(task.done, task.total or 1, f"{_gb(task.done)} of {_gb(task.total)}{rest}")


def _best(entries: "list[CatalogueEntry]") -> "Recommendation":
    from tuning.models.catalogue import recommend  # heavy: torch, transformers

    return recommend(entries)


def _listing(entries: "list[CatalogueEntry]", best: "Recommendation", current: str) -> dict[str, Any]:
    return {
        "models": [{**asdict(entry), "in_use": entry.name == current} for entry in entries],
        "in_use": current,
        "recommended": {
            "chat": best.chat.name if best.chat else None,
            "tune": best.tune.name if best.tune else None,
        },
    }


def _print(entries: "list[CatalogueEntry]", best: "Recommendation", current: str) -> None:
    for entry in entries:
        notes = [
            *(["in use"] if entry.name == current else []),
            *(["on this machine"] if entry.at_hand else [f"{_gb(entry.download_bytes)} to download"]),
            *(["best to chat here"] if entry == best.chat else []),
            *(["best to tune here"] if entry == best.tune else []),
            *(["licence to be accepted"] if entry.is_gated else []),
        ]
        facts = [
            _count(entry.parameters),
            f"window {entry.window:,}",
            *([entry.languages] if entry.languages else []),
            _license(entry.license),
            f"chat {_gb(entry.chat_bytes)} {_sign(entry.fits_chat)}",
            f"tune {_gb(entry.tune_bytes)} {_sign(entry.fits_tune)}",
            f"about {entry.tokens_per_second:.0f} tokens/s",
        ]
        click.echo(f"{entry.name}  [{', '.join(notes)}]")
        click.echo(f"    {' · '.join(facts)}")
        if entry.gguf and not entry.at_hand:
            click.echo(f"    to chat alone, in fewer bits: {entry.gguf}, {_gb(entry.gguf_bytes)} to download")


def _sign(fits: bool) -> str:
    return "✓" if fits else "✗"


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.0f} M"


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def _license(name: str) -> str:
    return f"licence {name}" if name else "no licence named"


def _fits(fits: bool, free: int) -> str:
    return f"{'which fits' if fits else 'too much'}: {_gb(free)} free"
