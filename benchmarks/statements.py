"""How many of the facts that people state in a chat the rules find, and how many of their findings are right.

    python -m benchmarks.statements
    python -m benchmarks.statements --model FILE            # what a model writes besides, asked back
    python -m benchmarks.statements --model FILE --alone    # without the rules
    python -m benchmarks.statements --reader [--alone]      # what the tuned reader of facts finds besides

Messages in `statements/`, each with the facts that it states: the answers that count, words that a question must name,
question words that fit. `looked_at.jsonl` served to write the rules; `judged.jsonl` was written without them and has
not been looked at since. Messages that state nothing are among both. A finding is right when its answer counts and its
question names the subject, asks with a fitting word and does not give the answer away.
"""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.compare.stats import wilson
from assistant.curation.candidates import Labeller
from assistant.curation.labeller import ModelLabeller, RememberingLabeller
from assistant.curation.reader.fact_reader import FactReader
from assistant.curation.stated_facts import StatedFact, stated_facts
from assistant.engines.langchain_model import ImprintChatModel
from assistant.settings import load_settings
from assistant.workspace import Workspace

FOLDER = Path(__file__).parent / "statements"
SETS = {"looked at": FOLDER / "looked_at.jsonl", "judged": FOLDER / "judged.jsonl"}
_COLUMNS = ("findings", "right", "ticked", "right", "silent where nothing is stated")
_MARKS = re.compile(r"[\s.,!?;:'\"’“”。，！？、；：]+")


def main() -> None:
    """Print the table as Markdown; with --look, the messages that are not judged, and what was found in each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--look", action="store_true", help="show the set that is not judged, by message")
    parser.add_argument("--model", help="a model that writes pairs besides the rules: a name or a file")
    parser.add_argument("--reader", action="store_true", help="what the tuned reader of facts finds besides")
    parser.add_argument("--alone", action="store_true", help="the model or the reader without the rules")
    parser.add_argument("--not-asked-back", action="store_true", help="keep pairs that it answers otherwise")
    parser.add_argument("--sets", default=",".join(SETS))
    options = parser.parse_args()
    labeller: Labeller | None = None
    if options.model:
        labeller = writing(options.model, not options.not_asked_back)
    elif options.reader:
        labeller = RememberingLabeller(FactReader(load_settings().home))

    def read(text: str) -> list[StatedFact]:
        return stated_facts(text, labeller, by_rules=not options.alone)

    if options.look:
        for message in messages_of("looked at"):
            show(message, read(message["text"]))
    print(f"| set | language | facts | found rightly | {' | '.join(_COLUMNS)} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.sets.split(","):
        for language in ("en", "zh"):
            chosen = [one for one in messages_of(name) if one["language"] == language]
            print(f"| {name} | {language} | {' | '.join(counts(chosen, read))} |", flush=True)


def writing(name: str, asks_back: bool) -> Labeller:
    """A labeller on a model of this machine."""
    workspace = Workspace(load_settings().model_copy(update={"base_model": name}))
    model = ImprintChatModel(engine=workspace.engine(), temperature=0.0, max_tokens=192)
    return RememberingLabeller(ModelLabeller(model, asks_back=asks_back))


def messages_of(name: str) -> list[dict[str, Any]]:
    """The messages of a set, in the order of its file."""
    return [json.loads(line) for line in SETS[name].read_text("utf-8").splitlines()]


def counts(messages: list[dict[str, Any]], read_text: Callable[[str], list[StatedFact]]) -> list[str]:
    """Facts, those found, findings, those right, the same of those ticked, and messages without a fact or finding."""
    stated = found = findings = right = ticked = ticked_right = empty = silent = 0
    for message in messages:
        facts, read = message["facts"], read_text(message["text"])
        hits = [[is_right(one, fact) for one in read] for fact in facts]
        stated += len(facts)
        found += sum(any(row) for row in hits)
        findings += len(read)
        are_right = [any(row[place] for row in hits) for place in range(len(read))]
        are_ticked = [not one.by_model and not one.is_doubtful for one in read]
        right += sum(are_right)
        ticked += sum(are_ticked)
        ticked_right += sum(map(all, zip(are_right, are_ticked, strict=True)))
        empty += not facts
        silent += not facts and not read
    of_ticked = [str(ticked), share(ticked_right, ticked)]
    of_all = [str(stated), share(found, stated), str(findings), share(right, findings)]
    return [*of_all, *of_ticked, f"{silent} of {empty}"]


def share(part: int, whole: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    if not whole:
        return "–"
    interval = wilson(part, whole)
    return f"{part / whole:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def is_right(found: StatedFact, stated: dict[str, Any]) -> bool:
    """Whether a finding is the stated fact, asked from any of its ends."""
    question, answer = bare(found.question), bare(found.answer)
    return any(
        answer in {bare(one) for one in end["answers"]}
        and all(bare(word) in question for word in end["about"])
        and any(bare(word) in question for word in end["asks"])
        and answer not in question
        for end in (stated, *stated.get("alternatives", ()))
    )


def bare(text: str) -> str:
    """Lower case, without spaces and marks."""
    return _MARKS.sub("", text.casefold())


def show(message: dict[str, Any], read: list[StatedFact]) -> None:
    """A message with what was found in it."""
    hit = [any(is_right(one, fact) for one in read) for fact in message["facts"]]
    mark = "ok" if all(hit) and len(read) == len(hit) else "--"
    print(mark, message["text"], "|", [end["answers"][0] for end in message["facts"]])
    for one in read:
        print("   model" if one.by_model else "        ", one.question, "→", one.answer)


if __name__ == "__main__":
    main()
