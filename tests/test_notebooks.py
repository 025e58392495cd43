"""The notebooks run from the first cell to the last, on a tiny random model in place of the default."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tuning.tiny import save_tiny
from tuning.models.base_model import BaseModel

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
LEARNING = 'method="lora", seed=0'
BRIEFLY = f"{LEARNING}, epochs=1, replay=0, reading=0, early_stop=False"  # as many passes as a test needs
RUN = "import sys; from nbclient.cli import main; sys.argv[0] = 'jupyter-execute'; main()"


@pytest.fixture(scope="module")
def tiny(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(base_model, tmp_path_factory.mktemp("model") / "tiny")


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tiny: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "IMPRINT_HOME": str(tmp_path / "home"),
        "IMPRINT_BASE_MODEL": str(tiny),
        "IPYTHONDIR": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    (tmp_path / notebook.name).write_text(_brief(notebook), encoding="utf-8")
    command = [sys.executable, "-P", "-c", RUN, "--timeout=400", notebook.name]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def _brief(notebook: Path) -> str:
    """The notebook as JSON; the one that tunes does so in one pass."""
    text = notebook.read_text(encoding="utf-8")
    learning, briefly = (json.dumps(one)[1:-1] for one in (LEARNING, BRIEFLY))
    assert (learning in text) == (notebook.stem == "tune_and_compare")
    return text.replace(learning, briefly)
