"""PNG, JPEG, TIFF, WebP → blocks, where text recognition is installed."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from knowledge.errors import DocumentError
from knowledge.readers import ocr
from knowledge.readers.blocks import ParsedFile
from knowledge.readers.pdf_layout import reading_order
from knowledge.readers.pdf_running_lines import Page
from knowledge.readers.pdf_text import blocks_of

MAX_PIXELS = 80_000_000
MAX_SIDE = 2_400


def load_image(data: bytes, request_seconds: Callable[[int], float]) -> ParsedFile:
    """The text in an image. Raises DocumentError where there is none, or no text recognition installed."""
    if not ocr.available():
        raise DocumentError(f"it is a picture: {ocr.HINT}")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DocumentError(f"it has {image.width} × {image.height} pixels, too many to recognise")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError as error:  # its own words name an object in memory
        raise DocumentError("its picture is damaged, or of a kind that is not read") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DocumentError(f"its picture is damaged ({error})") from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    request_seconds(1)
    words = ocr.recognise(np.asarray(upright)[:, :, ::-1], 2.0)
    blocks = blocks_of([Page(1, upright.height / 2.0, tuple(reading_order(words, [])))])
    if not blocks:
        raise DocumentError("it is a picture without text")
    return ParsedFile(blocks=tuple(blocks))
