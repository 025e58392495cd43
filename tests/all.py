"""Every test: `python tests/all.py`. Those in the browser run beside the others, which are in three parts.

Each process has one core, and there are more processes than cores, since many tests wait for others. A model that one
of them converts is there for all. What the browser's tests say comes last.

A test that fails beside all that is run once more when the machine has nothing else to do, with a new browser and a new
home: an expectation that only ran out of time passes then, and a fault fails again. Both are printed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
BROWSER = ["tests/browser"]
AGAIN = ["--last-failed", "--last-failed-no-failures", "none"]
TESTS_FAILED = 1  # pytest's exit status: everything else is no matter of time
OTHERS = ["--ignore=tests/browser"]
AT_ONCE = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
LONGEST = ["--durations=15"]


def start(arguments: list[str], models: Path, output: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
    """Run pytest with these arguments; `models` is the folder of converted models."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SHARED_TEST_MODELS": str(models)}
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)


def main() -> int:
    """Run everything; 0 where all tests passed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        models, log = Path(folder) / "models", Path(folder) / "browser.log"
        models.mkdir()
        # Caches of their own: each writes what failed as it ends.
        cache = [["-o", f"cache_dir={folder}/{name}"] for name in ("others", "browser")]
        with log.open("wb") as output:
            running = [
                start([*OTHERS, *AT_ONCE, *LONGEST, *cache[0]], models),
                start([*BROWSER, *LONGEST, *cache[1]], models, output),
            ]
            try:
                failed = [one.wait() for one in running]
            except KeyboardInterrupt:  # they were interrupted too, and close what they started
                failed = [one.wait() for one in running]
        print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
        for place, chosen in enumerate((OTHERS, BROWSER)):
            if failed[place] == TESTS_FAILED:
                print("What failed once more, with nothing beside:", flush=True)
                failed[place] = start([*chosen, *cache[place], *AGAIN], models).wait()
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main())
