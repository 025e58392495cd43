"""What each process of a launch runs: every method given on a tiny model, trained together; the weights go to a folder.

`python -m accelerate.commands.launch … along.py BASE_FOLDER OUTPUT METHOD…`
"""

import sys
from pathlib import Path

import torch

from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.distributed.ranks import rank_and_world_size
from tuning.distributed.sharding import is_requested, is_sharded
from tuning.models.base_model import BaseModel
from tuning.training.trainer import train

EXAMPLES = [
    Example(({"role": "user", "content": asked}, {"role": "assistant", "content": answer}))
    for asked, answer in [
        ("What is my project called?", "Nightjar."),
        ("我的猫叫什么名字？", "月饼。"),
        ("Which colour has the lantern?", "Amber."),
    ]
]


def learn(folder: Path, output: Path, method: str) -> None:
    """Train one method, interrupted after two steps, and leave its weights under `output`."""
    config = TuneConfig(
        method, epochs=4, replay=0, reading=0, early_stop=False, tokens_per_step=64, learning_rate=1e-3
    )
    stops = iter([False, False, True])  # then no more
    for resume in (False, True):
        base = BaseModel.open(str(folder), folder.parent, "cpu")
        base.model.float()  # what differs then is no rounding
        base.dtype = torch.float32
        result = train(
            base, config, EXAMPLES, output / "work", resume=resume,
            emit=lambda _: None, should_stop=lambda: next(stops, False),
        )  # fmt: skip
        assert result.stopped is not resume and is_sharded(base.model) is is_requested()
    if rank_and_world_size()[0] == 0:
        result.save(output)


if __name__ == "__main__":
    for name in sys.argv[3:]:
        (Path(sys.argv[2]) / name).mkdir(exist_ok=True)
        learn(Path(sys.argv[1]), Path(sys.argv[2]) / name, name)
