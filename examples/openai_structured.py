"""An answer as an object, through OpenAI's own client: python examples/openai_structured.py [ADDRESS].

It needs a running `imprint serve`. The object is valid on any model; how wise it is depends on the model.
"""

import sys
from typing import Literal

from openai import OpenAI
from pydantic import BaseModel, Field


class Review(BaseModel):
    """What a customer said."""

    product: str = Field(max_length=40)
    mood: Literal["happy", "unhappy"]
    stars: int = Field(ge=1, le=5)


def main() -> None:
    """Read a review into a `Review`."""
    client = OpenAI(base_url=sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8600/v1", api_key="any")
    text = "I love my Skerrin weather station. It has been right every single day!"
    parsed = client.chat.completions.parse(
        model=client.models.list().data[0].id,
        messages=[{"role": "user", "content": f"What does this review say?\n\n{text}"}],
        response_format=Review,
        max_tokens=80,
    )
    print(repr(parsed.choices[0].message.parsed))


if __name__ == "__main__":
    main()
