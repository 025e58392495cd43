"""Whether documents answer better in their own words than in those of a small model that reads them.

    python -m benchmarks.answerability.own_words                          # the development domain, documents kept aside
    python -m benchmarks.answerability.own_words --squad dev-v2.0.json    # and questions on every second article

The search finds four passages. Then the model reads them ("as it reads"), and what it says is held against the judge
("as the chat answers"). Right is what holds an answer. Where the sentences that hold it are taken out of the passages,
or the question is one that the document nearly answers, only a refusal is.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.chat.chat import Chat
from assistant.chat.passage_judge import PassageJudge
from assistant.chat.turn import AnswerOptions, TurnState
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.answerability.evaluate import without
from benchmarks.memory import FOLDER, read_domain
from benchmarks.reading import indexed, read_squad
from benchmarks.skills.written_sets import documents
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.search.answerability import Answerability
from tuning.scoring import is_correct

DOCUMENTS = AnswerOptions("documents", max_new_tokens=32)
_QUESTIONS, _ARTICLES = 6, 100  # of a document, of all articles
_BATCH = 12


@dataclass(frozen=True)
class Case:
    """A question, the passages that are shown for it, and the answers that count; none where it has none."""

    kind: str
    question: str
    answers: tuple[str, ...]
    passages: tuple[Source, ...]


def cases(workspace: Workspace, squad: Path | None) -> Iterator[Case]:
    """The questions of all sets."""
    facts = read_domain("radio", 24)[0]
    asked = [(question, fact.answers) for fact in facts for question in fact.rephrased]
    yield from on("radio", indexed(workspace, "radio", [FOLDER / "radio.md"]), asked)
    rng, asked = random.Random(0), []
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for place, document in enumerate(one for one in documents(aside=True) if not one.is_chinese):
            files.append(Path(folder) / f"{place}.md")
            files[-1].write_text(f"# {document.title}\n\n" + "\n\n".join(document.paragraphs), "utf-8")
            pairs = rng.sample(document.pairs, min(_QUESTIONS, len(document.pairs)))
            asked += [(rng.choice(pair.wordings), (pair.answer,)) for pair in pairs]
            asked += [(question, ()) for question in document.unanswerable[: _QUESTIONS // 2]]
        base = indexed(workspace, "kept-aside", files)
    yield from on("documents", base, asked)
    if squad is not None:
        articles, questions = read_squad(squad, 0)
        chosen = rng.sample(questions, _ARTICLES)
        yield from on(
            "articles", indexed(workspace, "squad", articles), [(q.text, q.answers) for q in chosen]
        )


def on(name: str, base: KnowledgeBase, asked: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Case]:
    """The questions on a knowledge base; of every second one that has an answer also without it."""
    chat = Chat(lambda: None, knowledge=lambda _: base)  # type: ignore[arg-type, return-value]  # it only searches
    for place, (question, answers) in enumerate(asked):
        passages = chat.find(question, DOCUMENTS).passages
        kind = "answered" if answers else "nearly answered"
        yield Case(f"{name}, {kind}", question, answers, passages)
        if answers and place % 2:
            cut = (without(one, answers) for one in passages)
            yield Case(f"{name}, taken out", question, (), tuple(one for one in cut if one.text))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--squad", type=Path, help="a file of SQuAD's form")
    options = parser.parse_args(arguments)
    workspace = Workspace(load_settings())
    judge, every = PassageJudge(Answerability().score), list(cases(workspace, options.squad))
    chat, read = Chat(workspace.engine), []
    for start in range(0, len(every), _BATCH):
        turns = [
            TurnState(question=one.question, passages=one.passages) for one in every[start : start + _BATCH]
        ]
        prompts = [chat.budget(turn, DOCUMENTS).messages for turn in turns]
        read += workspace.engine().complete(prompts, checkpoint=None, max_new_tokens=DOCUMENTS.max_new_tokens)
    print(
        "| questions | | as it reads: right | refused | wrong | as the chat answers: right | refused | wrong |"
    )
    print("|---" * 8 + "|")
    for kind in dict.fromkeys(one.kind for one in every):
        chosen = [(one, said) for one, said in zip(every, read, strict=True) if one.kind == kind]
        answered = [(one, as_the_chat(judge, one, said)) for one, said in chosen]
        cells = [*counts(chosen), *counts(answered)]
        print(f"| {kind} | {len(chosen)} | " + " | ".join(map(str, cells)) + " |")
    workspace.close_knowledge()


def as_the_chat(judge: PassageJudge, case: Case, said: str) -> str:
    """What the chat answers where the model said this; "" where it says that it found nothing."""
    if judge.is_about(case.question, case.passages) and judge.holds_no_answer(case.question, case.passages):
        return ""
    if not judge.may_hold_an_answer(case.question, case.passages):
        return said
    return judge.in_their_words(case.question, case.passages, said) or said


def counts(answered: Sequence[tuple[Case, str]]) -> tuple[int, int, int]:
    """How many are right, refused and wrong; of questions without an answer none is right."""
    right = sum(is_correct(said, one.answers) for one, said in answered)
    refused = sum(is_refusal(said) for one, said in answered if not is_correct(said, one.answers))
    return right, refused, len(answered) - right - refused


if __name__ == "__main__":
    main()
