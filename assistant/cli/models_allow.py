"""`imprint models allow`: a person reads a model's own code and allows it, by its hash."""

import click

from assistant.cli.options import confirmed, workspace_of, yes_option
from assistant.cli.output import emit, json_option, say
from assistant.workspace import Workspace


@click.command(epilog="Example: imprint models allow ~/models/own-encoder")
@click.argument("model")
@yes_option
@json_option
@workspace_of
def allow(workspace: Workspace, model: str, yes: bool, as_json: bool) -> None:
    """Let MODEL run the code that lies in its folder now.

    It may do anything that you may do on this machine: read it first. The hash of all its .py files is kept; once one
    of them changes, the model is refused again. MODEL is named as in the settings.
    """
    from tuning.models.model_code import allow as allow_code  # heavy: transformers
    from tuning.models.model_code import code_folder

    folder = code_folder(model, workspace.home)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    if files and not yes:
        say(f"The code of {model!r} in {folder}:")
        for file in files:
            say(f"  {file} ({(folder / file).stat().st_size} bytes)")
        confirmed("Have you read it, and may it run?", "Nothing was allowed")
    digest = allow_code(model, workspace.home)
    if as_json:
        emit({"model": model, "folder": folder, "files": files, "sha256": digest})
    else:
        say(f"{model!r} may run these {len(files)} files as they are now (sha256 {digest}).")
