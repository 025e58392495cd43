"""The lineage of checkpoints as a tree, with what each remembers."""

from collections.abc import Mapping, Sequence
from typing import Any

from assistant.components import checkpoint_report, formatting, html_blocks, job_card
from assistant.i18n.texts import t
from tuning.checkpoints.manifest import Checkpoint


def tree(rows: Sequence[tuple[int, Checkpoint]]) -> str:
    """Rows of `Registry.tree` (depth, checkpoint) as nested lists, each base at the root of its own."""
    bases = dict.fromkeys(checkpoint.base for _, checkpoint in rows)
    return "".join(_of_base(base, rows) for base in bases)


def _of_base(base: str, rows: Sequence[tuple[int, Checkpoint]]) -> str:
    own = [(depth, checkpoint) for depth, checkpoint in rows if checkpoint.base == base]
    root = f'<span class="node root">{html_blocks.escaped(base)}</span>'
    return f'<div class="tree"><ul><li>{root}{_branch(own)}</li></ul></div>'


def _branch(rows: Sequence[tuple[int, Checkpoint]]) -> str:
    """The rows as one list; what is deeper than the first row belongs to the row above it."""
    if not rows:
        return ""
    level, items, start = rows[0][0], [], 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end][0] == level:
            items.append(f"<li>{_node(rows[start][1])}{_branch(rows[start + 1 : end])}</li>")
            start = end
    return f"<ul>{''.join(items)}</ul>"


def _node(checkpoint: Checkpoint) -> str:
    facts = [
        job_card.method_title(checkpoint.method),
        t("tune.examples", count=checkpoint.examples_count) if checkpoint.examples_count else "",
        remembered(checkpoint.evaluation),
        formatting.moment(checkpoint.created, "day"),
    ]
    said = html_blocks.escaped(" · ".join(fact for fact in facts if fact))
    return f'<span class="node">{html_blocks.escaped(checkpoint.name)}</span> <small>{said}</small>'


def remembered(evaluation: Mapping[str, Mapping[str, Any]]) -> str:
    """How much of what it was taught a checkpoint remembered in other words, when it was evaluated."""
    part = evaluation.get("rephrased") or evaluation.get("recall")
    if not part or not part.get("n"):
        return ""
    return t("tune.remembered", said=checkpoint_report.of(part["after"], int(part["n"])))
