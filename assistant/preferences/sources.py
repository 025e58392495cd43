"""Each place of a home that holds preferences, read into findings. Nothing is weighed here: see `collect.py`."""

from itertools import permutations

from assistant.arena.trials import BLIND_TRIAL, BlindTrials, CastVote
from assistant.compare.evaluations import Evaluations
from assistant.compare.judge import JudgeVerdict, known_verdicts, verdict_key
from assistant.compare.results import EvaluationResult
from assistant.curation.candidates import LeftOut
from assistant.curation.preferences import Findings, read_feedback
from assistant.errors import CompareError, ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.preferences import PreferenceStore
from assistant.history.records import StoredPreference

TIE = "it was voted a tie: neither answer is better"
JUDGED_TIE = "the judge found neither answer better"


def read_chats(store: ConversationStore, findings: Findings) -> None:
    """Corrections, regenerated answers and thumbs; a damaged conversation is left out and said."""
    for conversation in store.with_feedback():
        try:
            read_feedback(store.all_messages(conversation), findings)
        except ConversationError as error:
            findings.left_out.append(LeftOut("", str(error), f"conversation {conversation}"))


def read_votes(votes: PreferenceStore, findings: Findings) -> None:
    """Blind votes, votes side by side, and what was imported from files."""
    for vote in votes.list():
        kind = _kind(vote)
        findings.add_pair(vote.prompt, vote.chosen, vote.rejected, vote.source or f"vote {vote.id}", kind)
    for one in votes.judgements():
        findings.add_judgement(one.prompt, one.completion, one.good, one.source, "imported")


def _kind(vote: StoredPreference) -> str:
    if vote.ballot_id is not None or vote.source.startswith(BLIND_TRIAL):
        return "blind"
    return "side_by_side" if vote.chosen_arm or vote.rejected_arm else "imported"


def read_undecided(trials: BlindTrials, findings: Findings) -> None:
    """Blind votes for neither: a tie teaches nothing, and where both are bad, each is a bad answer."""
    for trial in trials.list():
        for vote in trials.cast_votes(trial.id):
            if vote.outcome == "tie":
                findings.left_out.append(LeftOut(vote.question, TIE, f"{BLIND_TRIAL} {trial.id}"))
            elif vote.outcome == "bad":
                _add_both_bad(vote, f"{BLIND_TRIAL} {trial.id}", findings)


def _add_both_bad(vote: CastVote, source: str, findings: Findings) -> None:
    prompt = [{"role": "user", "content": vote.question}]
    for text in {vote.left_answer, vote.right_answer} - {""}:
        findings.add_judgement(prompt, text, False, source, "both_bad")


def read_verdicts(evaluations: Evaluations, findings: Findings) -> None:
    """What the judges of complete evaluations said about two answers."""
    judged = [plan for plan in evaluations.list() if plan.is_complete and plan.judge is not None]
    verdicts = known_verdicts(evaluations.verdicts_path) if judged else {}
    for plan in judged:
        try:
            result = evaluations.result(plan.id)
        except CompareError:  # said where it is opened
            continue
        _read_result(result, verdicts, f"evaluation {plan.id}", findings)


def _read_result(
    result: EvaluationResult, verdicts: dict[str, JudgeVerdict], source: str, findings: Findings
) -> None:
    if result.judge is None:
        return
    for row in result.rows:
        prompt = [{"role": "user", "content": row.question.text}]
        texts = [answer.text for answer in row.answers.values()]
        for first, second in permutations(texts, 2):
            verdict = verdicts.get(verdict_key(result.judge.choice, row.question, first, second))
            if verdict is None:
                continue
            if verdict.outcome in ("first", "second"):
                chosen, rejected = (first, second) if verdict.outcome == "first" else (second, first)
                findings.add_pair(prompt, chosen, rejected, source, "judge")
            else:
                findings.left_out.append(LeftOut(row.question.text, JUDGED_TIE, source))
