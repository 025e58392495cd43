"""The store of blind trials: their questions, the answers, the ballots and the votes.

It asks no model. Which two answers come next is decided in `pairing.py`.
"""

import json
import random
import sqlite3
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.arena.pairing import Ballot, BlindTrial, next_pair
from assistant.chat.turn import AnswerOptions
from assistant.compare.questions import Question
from assistant.compare.variants import Variant, options_from_dict
from assistant.compare.votes import OUTCOMES, Outcome, Vote
from assistant.errors import CompareError
from assistant.history.database import Database
from assistant.history.message_rows import DAMAGE
from assistant.history.migrations import MIGRATIONS
from assistant.history.preferences import insert_preference
from assistant.history.records import NewPreference
from assistant.language.text import normal
from knowledge.errors import MEND

BLIND_TRIAL = "blind trial"  # how the source of a vote begins, which it keeps when its trial is deleted
Ballots = list["Ballot"]  # `list` is a method below
Trials = list["BlindTrial"]
Votes = list[Vote]
CastVotes = list["CastVote"]


@dataclass(frozen=True)
class CastVote:
    """A vote with its question and both answers; left and right are names of variants."""

    question: str
    left: str
    right: str
    outcome: Outcome
    left_answer: str
    right_answer: str
    voter: str
    voted: float | None


class BlindTrials:
    """The blind trials in a conversations file; several tabs and processes may vote at once."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, MIGRATIONS)
        self._known_questions: dict[str, tuple[Question, ...]] = {}

    # ---- trials

    def create(
        self,
        name: str,
        variants: Sequence[Variant],
        questions: Sequence[Question],
        defaults: AnswerOptions | None = None,
        *,
        seed: int | None = None,
    ) -> BlindTrial:
        """Create a trial; its questions are shuffled. Raises CompareError."""
        if len(variants) < 2:
            raise CompareError(
                f"A blind trial is between two variants or more, and {len(variants)} were chosen."
            )
        trial_id = uuid.uuid4().hex[:8]
        seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        order = list(questions)
        random.Random(seed).shuffle(order)
        with self._database.write() as database:
            database.execute(
                "INSERT INTO blind_trials (id, name, arms, common, seed, created) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    trial_id,
                    name.strip() or "Trial",
                    _json([variant.to_dict() for variant in variants]),
                    _json(asdict(defaults or AnswerOptions())),
                    seed,
                    time.time(),
                ),
            )
            database.executemany(
                "INSERT INTO blind_questions (trial, place, question) VALUES (?, ?, ?)",
                [(trial_id, place, _json(question.to_dict())) for place, question in enumerate(order)],
            )
        return self.get(trial_id)

    def list(self) -> Trials:
        """All trials, newest first."""
        rows = self._database.read("SELECT id FROM blind_trials ORDER BY created DESC")
        return [self.get(row["id"]) for row in rows]

    def get(self, trial_id: str) -> BlindTrial:
        """One trial. Raises CompareError where it is not there."""
        rows = self._database.read("SELECT * FROM blind_trials WHERE id = ?", (trial_id,))
        if not rows:
            raise CompareError(f"There is no blind trial {trial_id!r}; it may have been deleted.")
        row = rows[0]
        try:
            return BlindTrial(
                id=row["id"],
                name=str(row["name"]),
                variants=tuple(Variant.from_dict(record) for record in json.loads(row["arms"])),
                questions=self._questions(trial_id),
                defaults=options_from_dict(json.loads(row["common"])),
                seed=row["seed"],
                created=row["created"],
            )
        except DAMAGE as error:
            raise CompareError(f"The blind trial {trial_id!r} is damaged. {MEND}") from error

    def delete(self, trial_id: str) -> None:
        """Remove a trial with its ballots; the preferences from its votes stay."""
        with self._database.write() as database:
            database.execute("DELETE FROM blind_trials WHERE id = ?", (trial_id,))

    def add_question(self, trial_id: str, text: str) -> int:
        """Add a voter's own question to the trial. Returns its place, or that of the same question."""
        question = Question(" ".join(text.split()), (), {"own": True})
        if not question.text:
            raise CompareError("The question is empty. Write what you would like to ask.")
        with self._database.write() as database:
            questions = self.get(trial_id).questions
            for place, known in enumerate(questions):
                if normal(known.text) == normal(question.text):
                    return place
            database.execute(
                "INSERT INTO blind_questions (trial, place, question) VALUES (?, ?, ?)",
                (trial_id, len(questions), _json(question.to_dict())),
            )
        return len(questions)

    # ---- answers

    def answers(self, trial_id: str, place: int) -> dict[str, str]:
        """Variant -> its answer to the question at this place, as far as there is one."""
        rows = self._database.read(
            "SELECT arm, answer FROM blind_answers WHERE trial = ? AND place = ?", (trial_id, place)
        )
        return {row["arm"]: row["answer"] for row in rows}

    def keep_answer(self, trial_id: str, place: int, variant: str, answer: str) -> None:
        """Keep an answer; the first one stays, so that everybody votes on the same text."""
        with self._database.write() as database:
            database.execute(
                "INSERT OR IGNORE INTO blind_answers (trial, place, arm, answer) VALUES (?, ?, ?, ?)",
                (trial_id, place, variant, answer),
            )

    # ---- ballots

    def next_ballot(self, trial_id: str, voter: str, *, at: int | None = None) -> Ballot | None:
        """The ballot that a voter sees next: an open one, or a new one; None when there is nothing left to vote on.

        Pairs of variants come equally often, and so does each variant on the left. `at` asks for the question at
        this place.
        """
        trial = self.get(trial_id)
        with self._database.write() as database:
            ballots = self._ballots(trial_id)
            for ballot in reversed(ballots):
                if ballot.voter == voter and ballot.outcome is None and at in (None, ballot.place):
                    return ballot
            chosen = next_pair(trial, ballots, voter, at)
            if chosen is None:
                return None
            place, first, second = chosen
            shown = (trial_id, place, voter, first, second, time.time())
            cursor = database.execute(
                "INSERT INTO ballots (trial, place, voter, first_arm, second_arm, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                shown,
            )
            return Ballot(int(cursor.lastrowid or 0), *shown)

    def vote(self, ballot_id: int, outcome: Outcome) -> bool:
        """Cast a vote. Returns whether it counted: a ballot takes only one.

        A decided vote also becomes a preference, with the question as its prompt.
        """
        if outcome not in OUTCOMES:
            raise CompareError(f"A vote is one of {', '.join(OUTCOMES)}, and {outcome!r} was given.")
        with self._database.write() as database:
            done = database.execute(
                "UPDATE ballots SET outcome = ?, voted = ? WHERE id = ? AND outcome IS NULL",
                (outcome, time.time(), ballot_id),
            ).rowcount
            if done and outcome in ("first", "second"):
                self._keep_preference(database, ballot_id, outcome)
        return bool(done)

    def withdraw(self, trial_id: str, voter: str) -> bool:
        """Take a voter's last vote back, with the preference that it made; whether there was one."""
        with self._database.write() as database:
            cast = [one for one in self._ballots(trial_id) if one.voter == voter and one.outcome is not None]
            if not cast:
                return False
            last = max(cast, key=lambda one: one.voted or 0.0)
            database.execute(
                "DELETE FROM ballots WHERE trial = ? AND voter = ? AND outcome IS NULL", (trial_id, voter)
            )
            database.execute("UPDATE ballots SET outcome = NULL, voted = NULL WHERE id = ?", (last.id,))
            database.execute("DELETE FROM preferences WHERE ballot_id = ?", (last.id,))
        return True

    def open_ballots(self, trial_id: str) -> Ballots:
        """The ballots that were shown and not voted on, newest first."""
        return [one for one in reversed(self._ballots(trial_id)) if one.outcome is None]

    def last_place(self, trial_id: str) -> int:
        """The last question that was shown to any voter; -1 before the first."""
        rows = self._database.read("SELECT max(place) AS place FROM ballots WHERE trial = ?", (trial_id,))
        return -1 if rows[0]["place"] is None else int(rows[0]["place"])

    def ballots(self, trial_id: str) -> Ballots:
        """All ballots of a trial that were voted on, in the order of the votes."""
        cast = [ballot for ballot in self._ballots(trial_id) if ballot.outcome is not None]
        return sorted(cast, key=lambda ballot: ballot.voted or 0.0)

    def votes(self, trial_id: str) -> Votes:
        """The votes of a trial."""
        questions = self.get(trial_id).questions
        return [
            Vote(questions[one.place].text, one.first_arm, one.second_arm, one.outcome, one.voter)
            for one in self.ballots(trial_id)
            if one.outcome is not None
        ]

    def cast_votes(self, trial_id: str) -> CastVotes:
        """Every vote with its question and both answers, in the order of the votes."""
        questions = self.get(trial_id).questions
        ballots = self.ballots(trial_id)
        answers = {place: self.answers(trial_id, place) for place in {one.place for one in ballots}}
        return [
            CastVote(
                question=questions[one.place].text,
                left=one.first_arm,
                right=one.second_arm,
                outcome=one.outcome,
                left_answer=answers[one.place].get(one.first_arm, ""),
                right_answer=answers[one.place].get(one.second_arm, ""),
                voter=one.voter,
                voted=one.voted,
            )
            for one in ballots
            if one.outcome is not None
        ]

    def _questions(self, trial_id: str) -> tuple[Question, ...]:
        """The questions of a trial. Questions are only ever added, so that those read before are not read again."""
        known = self._known_questions.get(trial_id, ())
        more = self._database.read(
            "SELECT question FROM blind_questions WHERE trial = ? AND place >= ? ORDER BY place",
            (trial_id, len(known)),
        )
        if more:
            known += tuple(Question.from_dict(json.loads(row["question"])) for row in more)
            self._known_questions[trial_id] = known
        return known

    def _ballots(self, trial_id: str) -> Ballots:
        rows = self._database.read("SELECT * FROM ballots WHERE trial = ? ORDER BY id", (trial_id,))
        return [Ballot(**dict(row)) for row in rows]

    def _keep_preference(self, database: sqlite3.Connection, ballot_id: int, outcome: Outcome) -> None:
        ballot = Ballot(**dict(self._database.read("SELECT * FROM ballots WHERE id = ?", (ballot_id,))[0]))
        answers = self.answers(ballot.trial, ballot.place)
        arms = (ballot.first_arm, ballot.second_arm)
        chosen, rejected = arms if outcome == "first" else arms[::-1]
        texts = [answers.get(arm, "") for arm in (chosen, rejected)]
        if not all(text.strip() for text in texts) or texts[0] == texts[1]:
            return  # nothing can be learned from silence or from sameness; the ballot keeps the vote
        prompt = [{"role": "user", "content": self.get(ballot.trial).questions[ballot.place].text}]
        insert_preference(
            database,
            NewPreference(
                prompt=prompt,
                chosen=texts[0],
                rejected=texts[1],
                chosen_arm=chosen,
                rejected_arm=rejected,
                ballot_id=ballot.id,
                source=f"{BLIND_TRIAL} {ballot.trial}",
                created=ballot.voted or time.time(),
            ),
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
