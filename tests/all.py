"""Every test: `python tests/all.py`. Those in the browser run beside the others, which are in three parts.

Each process has one core, and there are more processes than cores, since many tests wait for others. A model that one
of them converts is there for all. What the browser's tests say comes last.

A browser's test that fails beside all that is run once more when the machine has nothing else to do, with a new browser
and a new home: an expectation that only ran out of time passes then, and a fault fails again. Both are printed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
BROWSER = ["-m", "browser"]
AGAIN = ["--last-failed", "--last-failed-no-failures", "none"]
TESTS_FAILED = 1  # pytest's exit status: everything else is no matter of time
OTHERS = ["-m", "not browser", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]


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
        browser = [
            *BROWSER,
            "-o",
            f"cache_dir={folder}/cache",
        ]  # of its own: the others write theirs as they end
        with log.open("wb") as output:
            running = [start(OTHERS, models), start(browser, models, output)]
            try:
                failed = [one.wait() for one in running]
            except KeyboardInterrupt:  # they were interrupted too, and close what they started
                failed = [one.wait() for one in running]
        print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
        if failed == [0, TESTS_FAILED]:
            print("What failed in the browser once more, with nothing beside:", flush=True)
            failed = [start([*browser, *AGAIN], models).wait()]
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main())
