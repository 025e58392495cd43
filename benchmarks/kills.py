"""Kill processes at random moments, start again, and count what is lost: `python -m benchmarks.kills`.

    python -m benchmarks.kills --times 20 --output kills.json
    python -m benchmarks.kills --times 5 --only backup restore

Every kill is a SIGKILL to the process and its children at a moment drawn from the time that an undisturbed run
takes. What a process said to be done before it must be there after it. Only "app" and
"restore-app" need the default model, and "app" Chromium.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import kill_apps, kill_commands, kill_jobs, kill_servers
from benchmarks.killing import Tally
from tuning.process import restrict_new_files
from tuning.storage import write_json


@dataclass(frozen=True)
class Scene:
    """One thing that is killed, and how."""

    what: str
    play: Callable[[Path, int, random.Random], Tally]


SCENES = {
    "index": Scene("`imprint index` of 100 documents", kill_commands.index),
    "backup": Scene("`imprint backup` over an earlier one", kill_commands.backup),
    "restore": Scene("`imprint restore` over other content", kill_commands.restore),
    "job": Scene("a tuning job's worker, then resumed", kill_jobs.job),
    "serve": Scene("the HTTP server under uploads and jobs", kill_servers.serve),
    "chat": Scene("the process that stores chats as they stream", kill_servers.chat),
    "app": Scene("`imprint app` while it answers in a browser", kill_apps.app),
    "restore-app": Scene("`imprint restore` beside the running app", kill_apps.restore),
}


def main(arguments: list[str] | None = None) -> None:
    """Play the scenes and print one Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=20, help="kills of each kind (default: 20)")
    parser.add_argument("--only", nargs="+", choices=SCENES, default=list(SCENES), metavar="KIND")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="also write the result there, as JSON")
    options = parser.parse_args(arguments)
    restrict_new_files()
    tallies = {}
    for name in options.only:
        with tempfile.TemporaryDirectory(prefix=f"kills-{name}-") as folder:
            began = time.monotonic()
            tally = SCENES[name].play(Path(folder).resolve(), options.times, random.Random(options.seed))
            tally.seconds = round(time.monotonic() - began, 1)
            tallies[name] = tally
        print(table({name: tally}), flush=True)
    print(table(tallies))
    if options.output:
        write_json(options.output, {name: asdict(tally) for name, tally in tallies.items()})


def table(tallies: dict[str, Tally]) -> str:
    """The result as Markdown, with what was lost or damaged below."""
    lines = [
        "| killed | kills | checked | lost | damaged | mended by doctor | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        counts = (tally.kills, tally.acknowledged, len(tally.lost), len(tally.damaged), len(tally.mended))
        lines.append(f"| {SCENES[name].what} | {' | '.join(map(str, counts))} | {tally.seconds:.0f} |")
    faults = [
        f"- {name}: {one}"
        for name, tally in tallies.items()
        for one in tally.lost + tally.damaged + tally.mended
    ]
    return "\n".join([*lines, *(["", *dict.fromkeys(faults)] if faults else [])])


if __name__ == "__main__":
    main()
