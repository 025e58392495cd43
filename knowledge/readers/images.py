"""PNG, JPEG, TIFF, WebP → blocks, where text recognition is installed."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from knowledge.errors import DocumentError
from knowledge.readers import ocr
from knowledge.readers.blocks import Draft
from knowledge.readers.pdf_layout import reading_order
from knowledge.readers.pdf_text import Page, blocks_of

MAX_PIXELS = 80_000_000
LONGEST_SIDE = 2_400


def load_picture(data: bytes, more_time: Callable[[int], float]) -> Draft:
    """The text in a picture. Raises DocumentError where there is none or nothing that could recognise it."""
    if not ocr.available():
        raise DocumentError(f"it is a picture: {ocr.HINT}")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise DocumentError(
                    f"it has {picture.width} × {picture.height} pixels, too many to recognise"
                )
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DocumentError(f"its picture is damaged ({error})") from error
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    more_time(1)
    words = ocr.recognise(np.asarray(upright)[:, :, ::-1], 2.0)
    blocks = blocks_of([Page(1, upright.height / 2.0, tuple(reading_order(words, [])))])
    if not blocks:
        raise DocumentError("it is a picture without text")
    return Draft(blocks=tuple(blocks))
