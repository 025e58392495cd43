"""Text recognition, where the `ocr` extra (RapidOCR, with its models in the wheel) is installed; no network."""

import importlib
import importlib.util
import logging
import os
from dataclasses import replace
from functools import cache
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.readers.positioned_text import Word

SECONDS_PER_PAGE = 40.0  # what one page may take on a slow machine
MIN_CONFIDENCE = 0.5  # lines below it are left out: more likely a stain than text
HINT = "install text recognition with `pip install imprint[ocr]`, or run it through OCR first"


@cache
def available() -> bool:
    """Whether text recognition is installed."""
    return importlib.util.find_spec("rapidocr") is not None


def recognise(picture: NDArray[np.uint8], scale: float) -> list[Word]:
    """The lines of text in an image as words at their places, in units of `scale` pixels."""
    found = _engine()(picture)
    if found.boxes is None:
        return []
    words: list[Word] = []
    for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        if score < MIN_CONFIDENCE or not text.strip():
            continue
        (x0, top), (x1, bottom) = box.min(axis=0) / scale, box.max(axis=0) / scale
        height = float(bottom - top)
        words.append(Word(text, float(x0), float(x1), float(top), float(bottom), height * 0.8, False))
    usual = median([word.size for word in words] or [1.0])
    return [replace(word, size=_size(word.size, usual)) for word in words]


def _size(size: float, usual: float) -> float:
    """The height of a box says little: what is near the usual size has it."""
    return usual if 0.7 * usual < size < 1.4 * usual else round(size / 4) * 4.0


@cache
def _engine() -> Any:
    # Heavy and optional: OpenCV and 30 MB of models.
    rapidocr: Any = importlib.import_module("rapidocr")
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": os.cpu_count() or 1}
    return rapidocr.RapidOCR(params={"Global.log_level": "error", **threads})
