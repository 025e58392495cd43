"""What differs between families of embedding models: prefixes, languages, and the scale of their cosines."""

from dataclasses import dataclass
from pathlib import Path

OPENING_SECONDS = 10.0


@dataclass(frozen=True)
class Family:
    """How a family was trained, as its model cards say; measured where a comment says so."""

    query_prefix: str = ""
    passage_prefix: str = ""
    # It knows the language of any text in a script of its vocabulary.
    multilingual: bool = False
    # Mean and deviation of the cosines of a question and passages that have nothing to do with it, and how many
    # passages of an index they count as.
    unrelated: tuple[float, float] = (0.05, 0.09)
    unrelated_weight: float = 30.0
    # Its cosines lie so close together that only their distance from those of other passages says anything.
    by_deviation: bool = False
    # UTF-8 bytes of text that two cores of a server embed in a second, about.
    bytes_per_second: float = 25_000.0

    def embedding_seconds(self, size: int) -> float:
        """How long so many bytes of text take, about, the opening of the model included."""
        return OPENING_SECONDS + size / self.bytes_per_second


DEFAULT_FAMILY = Family()
# By a part of the model's name, the first that fits. The cosines of e5 were measured on XQuAD in four languages.
FAMILIES = {
    "multilingual-e5": Family(
        "query: ", "passage: ", True, (0.73, 0.03), 8.0, True, bytes_per_second=12_000.0
    ),
    "e5": Family("query: ", "passage: ", False, (0.73, 0.03), 8.0, by_deviation=True),
    "bge-m3": Family(multilingual=True),
    "bge-small-zh": Family("为这个句子生成表示以用于检索相关文章："),
    "bge": Family("Represent this sentence for searching relevant passages: "),
}


def family_of(model: str) -> Family:
    """The family of a model, by its name or the name of its folder."""
    name = Path(model).name.lower()
    return next((family for part, family in FAMILIES.items() if part in name), DEFAULT_FAMILY)
