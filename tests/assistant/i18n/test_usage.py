"""Every interface text is asked for somewhere, and every key that is asked for exists.

The keys are read out of the source: those written whole, and those put together from a name, whose possible names
are in the table below.
"""

import ast
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import get_args

from assistant.chat.context_window import PARTS
from assistant.chat.turn import MEMORIES
from assistant.compare.votes import Outcome
from assistant.components import (
    chat_export,
    checkpoint_export,
    preference_curves,
    preference_setup,
    theme,
    tour,
)
from assistant.components.tuning_options import LAYERS, NUMBERS, SWITCHES
from assistant.curation.candidates import REASONS
from assistant.documents.listing import DocumentState
from assistant.engines.stage import Stage
from assistant.history.records import ENDINGS
from assistant.home import disk_use
from assistant.i18n.texts import TEXTS
from assistant.pages import (
    checkpoints_jobs,
    compare,
    compare_evaluation_result,
    compare_question_sets,
    memory,
)
from assistant.preferences.collect import SOURCES
from assistant.preferences.files import FORMATS
from assistant.settings import ENGINES, LEARN_NOTES, MODEL_CAPABILITIES
from knowledge.index.embedding_models import Reads
from tuning.checkpoints.notes import STATES
from tuning.config import Strength
from tuning.evaluation.verdict import Problem, Suggestion
from tuning.jobs.folder import PHASES, Status
from tuning.training.methods import METHODS

ROOT = Path(__file__).parents[3]
RLHF_STEPS = ("demonstrations", "comparisons", "optimisation")
OPTIONS = (*(number.field for number in NUMBERS), *SWITCHES)
FAMILIES = {method.family for method in METHODS.values()}
VIEWS = [*product(("words", "changes", "attention"), sorted(FAMILIES))]
# A checkpoint of these families always has this view.
HAVE = {("attention", "prefix"), ("attention", "prompt")}

# Of other languages the page speaks without a name.
LANGUAGES_NAMED = [key.removeprefix("language.") for key in TEXTS if key.startswith("language.")]


def words(names: Iterable[str]) -> list[str]:
    """Names as they stand in keys."""
    return [name.replace(" ", "_") for name in names]


# A key with `*` for each name that is put into it -> the names that can be.
NAMES: dict[str, Iterable[str | tuple[str, ...]]] = {
    "page.*": ("chat", "knowledge", "checkpoints", "preferences", "compare", "memory", "settings"),
    "frame.*": theme.FRAME,
    "job.axis.*": ("memory_bytes", *checkpoints_jobs.MEASURES),
    "job.status.*": get_args(Status),
    "job.phase.*": PHASES,
    "model.*": get_args(Stage),
    "settings.engine.*": ENGINES,
    "budget.*": PARTS,
    "memory.*": MEMORIES,
    "language.*": LANGUAGES_NAMED,
    "message.*": ("like", "dislike", "stopped", "failed", *ENDINGS),
    "reason.*": REASONS,
    "note.schedule.*": LEARN_NOTES,
    "note.state.*": STATES,
    "note.state.*.help": STATES,
    "teach.strength.*": get_args(Strength),
    "teach.*": ("learn", "unsure"),
    "first.*": ("ask", "documents", "keep"),
    "first.*.text": ("ask", "documents", "keep"),
    "first.question.*": ("1", "2"),
    "welcome.*": tour._MEMORIES,
    "tour.*": (*tour.STEPS, "base", "documents"),
    "tour.*.text": tour.STEPS,
    "disk.*": (*disk_use.PARTS, "other"),
    "teach.*.note": ("learn", "unsure"),
    "arm.passages.*": ("none", "documents", "given"),
    "verdict.try.*": words(get_args(Suggestion)),
    "verdict.*": words(get_args(Problem)),
    "report.*": ("before", "after", "recall", "rephrased"),
    "report.*.note": ("recall", "rephrased"),
    "picture.*": ("all", "some", "none", "kept", "lost", "unknown"),
    "options.*": OPTIONS,
    "options.*.help": OPTIONS,
    "options.layers.*": LAYERS,
    "visible.attention.*": ("rest", "first"),
    "visible.answer.column.*": ("token", "before", "share", "divergence", "rival"),
    "cluster.*": ("document", "fact", "question"),
    "compare.view.*": compare.VIEWS,
    "figures.*": compare_evaluation_result.FIGURES,
    "evaluation.filter.*": compare_evaluation_result.FILTERS,
    "knowledge.*": ("reading", "embedding", "fetching"),
    "knowledge.phase.*": ("waiting", "reading", "embedding"),
    "knowledge.state.*": get_args(DocumentState),
    "knowledge.status.*": ("added", "updated", "unchanged", "renamed", "removed"),
    "answer.*": ("preparing", "reading", "thinking", "writing", "ended"),
    "chats.export.*": ("md", "json"),
    "chats.training.*": chat_export.FORMATS,
    "settings.capability.*": MODEL_CAPABILITIES,
    "settings.reads.*": get_args(Reads),
    "visible.none.*.*": [view for view in VIEWS if view not in HAVE],
    "visible.view.*": memory.VIEWS,
    "visible.next.begun.*": ("text", "answer"),
    "visible.next.kind.*": ("text", "answer"),
    "sets.how.*": compare_question_sets.HOWS,
    "export.*": checkpoint_export.EXPORT_FORMATS,
    "date.*": ("moment", "day", "short", "time"),
    "tune.*": ("checkpoints", "notes", "jobs", "methods", "import"),
    "trial.outcome.*": get_args(Outcome),
    "preferences.from.*": SOURCES,
    "preferences.column.*": ("source", "question", "preferred", "rejected"),
    "preferences.format.*": FORMATS,
    "preferences.loss.*": preference_setup.LOSSES,
    "preferences.option.*": preference_setup.NUMBERS,
    "preferences.option.*.help": preference_setup.NUMBERS,
    "preferences.curve.*": preference_curves.MEASURES,
    "rlhf.*": RLHF_STEPS,
    "rlhf.*.text": RLHF_STEPS,
    "rlhf.*.formula": RLHF_STEPS,
    "rlhf.mark.*": ("corrected", "liked", "preferred", "rejected"),
}


def calls() -> Iterator[ast.expr]:
    """What is handed to `t()` as a key, everywhere."""
    for path in source():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
                yield node.args[0]


def source() -> list[Path]:
    return [ROOT / "streamlit_app.py", *(ROOT / "assistant").rglob("*.py")]


def pattern(key: ast.JoinedStr) -> str:
    return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in key.values)  # type: ignore[misc]


def patterns() -> set[str]:
    found = {pattern(part) for key in calls() for part in ast.walk(key) if isinstance(part, ast.JoinedStr)}
    joined = (part for key in calls() for part in ast.walk(key) if isinstance(part, ast.BinOp))
    return found | {f"{part.left.value}*" for part in joined if isinstance(part.left, ast.Constant)}


def put_together() -> set[str]:
    keys = set()
    for key, names in NAMES.items():
        for name in names:
            parts = iter((name,) if isinstance(name, str) else name)
            keys.add("".join(next(parts) if letter == "*" else letter for letter in key))
    return keys


def literals() -> set[str]:
    """Every string in the source that is a key: some stand in tables, and are handed on."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in source())
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TEXTS
    }


def test_every_way_to_put_a_key_together_is_in_the_table() -> None:
    assert patterns() == set(NAMES)


def test_every_key_that_is_asked_for_exists() -> None:
    written = {key.value for key in calls() if isinstance(key, ast.Constant)}
    assert written - set(TEXTS) == set()
    assert put_together() - set(TEXTS) == set()


def test_every_text_is_asked_for() -> None:
    used = literals() | put_together()
    assert {key.removesuffix(".one") for key in TEXTS} - used == set()


def test_a_text_for_one_stands_beside_one_for_several() -> None:
    for key in TEXTS:
        if key.endswith(".one"):
            assert key.removesuffix(".one") in TEXTS or key == "compare.view.one"
