"""How long llama.cpp's threads should look before they sleep: python -m benchmarks.waiting_threads [--tokens 96].

The packaged model in a process of its own for each setting of GNU's OpenMP, alone and beside processes that only count.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tuning.config import DEFAULT_BASE
from tuning.models.packaged import packaged_file

SETTINGS = ("OMP_WAIT_POLICY=PASSIVE", *(f"GOMP_SPINCOUNT={count}" for count in (1000, 10_000, 100_000)), "")
_WRITE = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel, params.verbosity = sys.argv[1], 2048, 1, 0
params.cpuparams.n_threads = int(sys.argv[3])
server = xllamacpp.Server(params)
server.handle_completions({"prompt": "Once", "max_tokens": 8, "temperature": 0})
began = time.perf_counter()
asked = {"prompt": "Write a long story about the sea.", "max_tokens": int(sys.argv[2]), "temperature": 0}
server.handle_completions({**asked, "ignore_eos": True})
print("TOKENS A SECOND", int(sys.argv[2]) / (time.perf_counter() - began))
"""


def main() -> None:
    """Print a table of tokens a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=96)
    tokens = parser.parse_args().tokens
    cores = os.cpu_count() or 1
    print(f"| {cores} cores | alone | beside {cores} busy processes |\n|---|---|---|")
    for setting in SETTINGS:
        alone = tokens_per_second(setting, tokens, cores)
        with busy(cores):
            beside = tokens_per_second(setting, tokens, cores)
        print(f"| {setting or 'the default'} | {alone:.1f} | {beside:.1f} |", flush=True)


def tokens_per_second(setting: str, tokens: int, threads: int) -> float:
    """One long answer in a new process with this setting in its environment."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    chosen = dict([setting.split("=")]) if setting else {}
    said = subprocess.run(
        [sys.executable, "-c", _WRITE, str(packaged_file(DEFAULT_BASE)), str(tokens), str(threads)],
        env={**inherited, **chosen},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(said.stdout.rpartition("TOKENS A SECOND")[2])


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that only count."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
