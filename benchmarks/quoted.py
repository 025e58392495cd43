"""Which sentence is quoted for a Chinese question where the model hardly knows Chinese. It asks no model.

    python -m benchmarks.quoted FILE…

FILEs are of SQuAD's form (xquad.zh.json, DRCD_dev.json). A question is asked of its own paragraph and three others;
right is a sentence that holds one of the answers.
"""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.chat.verbatim import best_sentence
from assistant.history.sources import Source

MOST = 1500  # questions of a file
OTHERS = 3


def main(paths: list[str]) -> None:
    """Print a line for each file."""
    for path in paths:
        asked = list(questions(json.loads(Path(path).read_text("utf-8"))))
        chance = random.Random(0)
        paragraphs = sorted({text for text, _, _ in asked})
        chosen = chance.sample(asked, min(MOST, len(asked)))
        right = 0
        for text, question, answers in chosen:
            others = [one for one in chance.sample(paragraphs, OTHERS) if one != text]
            said = best_sentence(
                question, [Source(place, one) for place, one in enumerate([text, *others], 1)]
            )
            right += any(answer in said for answer in answers)
        print(f"{Path(path).name}: {right} of {len(chosen)} ({right / len(chosen):.3f})")


def questions(data: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Paragraph, question and answers of each question of a file."""
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for one in paragraph["qas"]:
                yield (
                    str(paragraph["context"]),
                    one["question"],
                    [answer["text"] for answer in one["answers"]],
                )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Usage: python -m benchmarks.quoted FILE…")
    main(sys.argv[1:])
