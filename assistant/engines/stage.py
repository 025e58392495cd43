"""The steps of opening a model; a page or a terminal puts them into words."""

from collections.abc import Callable
from typing import Literal

Stage = Literal["importing", "converting", "opening"]
OnStage = Callable[[Stage], None]
