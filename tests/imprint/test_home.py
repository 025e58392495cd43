"""A program's view of a home: what is imported when, answers, tuning, comparing."""

import subprocess
import sys
from pathlib import Path

import pytest

import imprint
from assistant.home.use import users
from imprint import AssistantError, Example, Imprint, TuningError
from tests.fakes import ScriptedEngine

ROOT = Path(__file__).parents[2]


def in_a_process(code: str, *words: str) -> str:
    command = [sys.executable, "-P", "-c", code, *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_importing_takes_no_page_model_or_index_into_memory(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom imprint import ChatImprint, Imprint\n"
        "home = Imprint(sys.argv[1])\nChatImprint(model='halden', home=home.path)\n"
        "home.checkpoints(); home.jobs(); home.knowledge_base('docs'); home.conversation('one').messages\n"
        "print([m for m in ('streamlit', 'torch', 'transformers', 'chromadb') if m in sys.modules])"
    )
    assert in_a_process(code, str(tmp_path)) == "[]\n"


def test_every_public_name_is_there() -> None:
    for name in imprint.__all__:
        assert getattr(imprint, name).__doc__
    assert set(imprint.__all__) == set(imprint._PLACES)
    with pytest.raises(AttributeError, match=r"no attribute 'Chat'\. It has: Answer, AssistantError"):
        _ = imprint.Chat


def test_several_objects_share_one_home(home: Imprint) -> None:
    again = Imprint(home.path)
    assert again._workspace is home._workspace and repr(again) == f"<Imprint {home.path}>"
    again.close()
    assert Imprint(home.path)._workspace is not home._workspace


def test_a_restore_elsewhere_sees_that_a_program_uses_the_home(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom imprint import Imprint\nhome = Imprint(sys.argv[1])\n"
        "print('open', flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-P", "-c", code, str(tmp_path)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "open\n"
        assert users(tmp_path) == [f"a Python program (process {process.pid})"]
        process.stdin.close()
    assert users(tmp_path) == []


def test_an_answer_says_what_it_took(home: Imprint, engine: ScriptedEngine) -> None:
    answer = home.ask("How heavy is the Skerrin?", system_prompt="Be brief.")
    assert (str(answer), answer.completion_tokens, answer.sources) == ("640 grams", 2, ())
    assert engine.prompts[-1][0] == {"role": "system", "content": "Be brief."}
    home.ask("How heavy is the Skerrin?", checkpoint="halden")
    assert engine.checkpoints_asked == [None, "halden"]
    with pytest.raises(AssistantError, match="The question is empty"):
        home.ask(" ")


PAIR = ("2", "夜莺")  # the sleeping worker reads how many steps it is to take


@pytest.mark.slow
@pytest.mark.parametrize(
    "examples",
    [
        [PAIR],
        [{"messages": [{"role": "user", "content": PAIR[0]}, {"role": "assistant", "content": PAIR[1]}]}],
        [Example(({"role": "user", "content": PAIR[0]}, {"role": "assistant", "content": PAIR[1]}))],
    ],
)
def test_a_job_is_followed_to_its_checkpoint(home: Imprint, examples: list[object]) -> None:
    job = home.tune(examples=examples, name="halden", seed=3)  # type: ignore[arg-type]
    seen: list[str] = []
    with pytest.raises(TuningError, match="no checkpoint 'made up'"):  # it only pretends
        job.wait(progress=lambda state: seen.append(state.status), timeout_seconds=60)
    assert (job.status, job.name, seen[-1]) == ("succeeded", "halden", "succeeded")
    assert [event["step"] for event in job.events() if event.get("kind") == "step"] == [1, 2]
    assert home.job(job.id).state.config["seed"] == 3 and [one.id for one in home.jobs()] == [job.id]


@pytest.mark.slow
def test_a_job_that_failed_or_was_cancelled_is_an_error(home: Imprint) -> None:
    failed = home.tune(examples=[("refuse", "夜莺")])
    with pytest.raises(TuningError, match=r"failed: This cannot be done"):
        failed.wait(timeout_seconds=60)
    job = home.tune(examples=[("500", "夜莺")])
    with pytest.raises(TimeoutError, match=r"after 0\.1 seconds\. It goes on"):
        job.wait(timeout_seconds=0.1)
    with pytest.raises(TuningError, match="has no checkpoint yet"):
        _ = job.result
    job.cancel()
    with pytest.raises(TuningError, match="cancelled"):
        job.wait()
    assert "cancelled" in repr(job)


def test_conversations_and_files_are_learned_from(home: Imprint, tmp_path: Path) -> None:
    from imprint.learning import examples_of

    talk = home.conversation()
    talk.add_user_message("Who leads Halden?")
    talk.add_ai_message("Tobias leads Halden.")
    path = tmp_path / "pairs.csv"
    path.write_text("question,answer\nHow heavy is it?,640 grams.\n", encoding="utf-8")
    learned = examples_of(home._workspace, path, [talk.id], None)
    assert [one.answer for one in learned] == ["640 grams.", "Tobias leads Halden."]
    assert learned[0].probes  # asked in other words afterwards


def test_preferences_are_learned_from_by_their_methods(home: Imprint, tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text('{"prompt": "Weight?", "chosen": "640 grams.", "rejected": "Heavy."}\n', encoding="utf-8")
    with pytest.raises(TuningError, match="'lora'"):
        home.tune(preferences=path)
    with pytest.raises(TuningError):  # one pair is too few, and the message is the method's
        home.tune(preferences=path, method="dpo")
    with pytest.raises(TypeError, match="from examples or from preferences"):
        home.tune([PAIR], preferences=path, method="dpo")
    assert home.jobs() == []


def test_what_cannot_be_learned_is_said(home: Imprint) -> None:
    with pytest.raises(AssistantError, match="give `examples`, as files or as questions"):
        home.tune()
    with pytest.raises(TuningError, match=r"or an object with messages; found \('a', 'b', 'c'\)"):
        home.tune(examples=[("a", "b", "c")])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"no option 'epoch'\. It has: method, name"):
        home.tune(examples=[PAIR], epoch=3)
    with pytest.raises(TuningError, match="epochs must be a whole number from 1"):
        home.tune(examples=[PAIR], epochs=0)
    assert home.jobs() == []


def test_arms_are_compared_on_questions(home: Imprint) -> None:
    seen: list[tuple[int, int]] = []
    result = home.compare(
        [{"question": "How heavy is it?", "answers": ["640"]}, {"question": "Where is it?", "answers": ["Norvik"]}],
        arms=["base"],
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert result.variants["base"].accuracy == 0.5 and seen == [(2, 2)]
    with pytest.raises(AssistantError, match='Question 1: no "question" text'):
        home.compare([{"answers": ["x"]}])
    with pytest.raises(AssistantError, match="no question was given"):
        home.compare([])


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AssistantError, match="which is not a folder"):
        Imprint(tmp_path / "file")
