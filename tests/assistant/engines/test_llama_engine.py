"""llama.cpp's engine on real weights: the prompts and answers of torch's, several at once, faults, adapters."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from assistant.engines.base import Engine, SamplingParams
from assistant.engines.llama_engine import LlamaEngine
from assistant.engines.llama_processes import LlamaProcesses
from assistant.engines.llama_server import EngineEndedError
from assistant.engines.many_streams import complete_by_streams
from assistant.errors import EngineError, PromptTooLongError
from tests.fakes import PolledEvent, text_and_end
from tests.rounding import ROUNDING, largest_gap
from tests.saved_checkpoints import save_prefix, save_random
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.data.examples import Message
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.gguf_base import GgufBase
from tuning.models.stream_end import StreamEnd

WAIT_SECONDS = 60.0
FRANCE: list[Message] = [{"role": "user", "content": "What is the capital of France?"}]
STORY: list[Message] = [{"role": "user", "content": "Write a very long story about the sea."}]


def default_base(home: Path) -> GgufBase:
    base = GgufBase.find(DEFAULT_BASE, home)
    assert base is not None
    return base


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Registry:
    """Checkpoints of the default model with random weights."""
    found = Registry(tmp_path_factory.mktemp("llama"))
    save_random(base_model, found, "random", "lora", scale=0.08)
    save_random(base_model, found, "other", "lora", scale=0.06)
    return found


@pytest.fixture(scope="module")
def engine(registry: Registry, imprint_home: Path) -> Iterator[LlamaEngine]:
    base = default_base(imprint_home)
    opened = LlamaEngine(base, registry)
    yield opened
    opened.close()


def answer(engine: Engine, messages: list[Message] = FRANCE, tokens: int = 12, **options: object) -> str:
    params = SamplingParams(tokens, **options)  # type: ignore[arg-type]
    return "".join(engine.stream(messages, params))


def test_prompts_are_those_of_torch(engine: LlamaEngine, base_model: BaseModel) -> None:
    chats: list[list[Message]] = [
        FRANCE,
        [
            {"role": "system", "content": "Sei kurz.\n\n"},
            {"role": "user", "content": "  Grüß dich, 灯笼 🫖  \t"},
        ],
        [
            *FRANCE,
            {"role": "assistant", "content": "<b>Paris</b> & 'more'"},
            {"role": "user", "content": "<|im_end|>1234"},
        ],
    ]
    for chat in chats:
        ids = base_model.chat_ids(chat, add_generation_prompt=True)
        assert engine.count_tokens(chat) == len(ids)
        text = chat[-1]["content"]
        assert engine.encode(text) == base_model.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert engine.window == base_model.window
    assert engine.label(None) == "llama.cpp · 8 bit"


def test_an_answer_is_what_torch_would_say_and_says_how_it_ended(
    engine: LlamaEngine, base_model: BaseModel
) -> None:
    for prompt in (FRANCE, STORY):
        text, end = text_and_end(engine.stream(prompt, SamplingParams(6)))
        assert end == StreamEnd("length", 6)
        assert largest_gap(base_model, prompt, text) < ROUNDING
    short: list[Message] = [{"role": "user", "content": "Say only the word: yes"}]
    text, end = text_and_end(engine.stream(short, SamplingParams(200)))
    assert end == StreamEnd("stop", engine.count_text(text))


def test_a_seed_repeats_an_answer_and_another_changes_it(engine: LlamaEngine) -> None:
    first = answer(engine, STORY, 20, temperature=1.0, seed=1)
    assert answer(engine, STORY, 20, temperature=1.0, seed=1) == first
    assert answer(engine, STORY, 20, temperature=1.0, seed=2) != first
    assert answer(engine, STORY, 20, temperature=1.5, top_p=0.01, seed=3) == answer(engine, STORY, 20)


def test_a_long_answer_does_not_hold_up_a_short_one(engine: LlamaEngine) -> None:
    long = engine.stream(STORY, SamplingParams(4000))
    next(long)
    assert answer(engine)
    assert next(long)  # it still goes on
    long.close()


def test_whoever_leaves_frees_the_place(engine: LlamaEngine) -> None:
    streams = [engine.stream(STORY, SamplingParams(4000)) for _ in range(8)]  # every place there is
    for stream in streams:
        next(stream)
        stream.close()
    began = time.monotonic()
    assert answer(engine)
    assert time.monotonic() - began < WAIT_SECONDS / 4


def test_a_stop_ends_an_answer_while_its_prompt_is_read(engine: LlamaEngine) -> None:
    stop = PolledEvent()
    long: list[Message] = [{"role": "user", "content": "one two three four " * 1500}]
    ended: list[StreamEnd] = []
    thread = threading.Thread(target=lambda: ended.append(text_and_end(engine.stream(long, stop=stop))[1]))
    thread.start()
    assert stop.polled.wait(WAIT_SECONDS)
    stop.set()
    thread.join(WAIT_SECONDS)
    assert ended == [StreamEnd("stop", 0)]


def test_a_prompt_larger_than_the_window_is_refused(engine: LlamaEngine) -> None:
    with pytest.raises(PromptTooLongError, match=r"has 16,\d+ tokens, and smollm2-135m-instruct reads 8,192"):
        answer(engine, [{"role": "user", "content": "one two " * 8100}])


def test_a_process_that_is_killed_in_the_middle_ends_one_answer(engine: LlamaEngine) -> None:
    stream = engine.stream(STORY, SamplingParams(4000))
    next(stream)
    before = engine.pid()
    os.kill(before, signal.SIGABRT)
    with pytest.raises(EngineEndedError, match=r"ended in the middle .* ask once more"):
        list(stream)
    assert answer(engine) and engine.pid() != before


def test_a_process_that_ends_again_and_again_is_given_up(imprint_home: Path, registry: Registry) -> None:
    processes = LlamaProcesses(default_base(imprint_home))
    with pytest.raises(EngineError, match=r"ended 3 times within 120 seconds\. Set the engine to torch"):
        for _ in range(4):
            process = psutil.Process(processes.pid())
            process.kill()
            process.wait(WAIT_SECONDS)
    processes.close()


def test_a_checkpoint_answers_and_leaves_the_base_as_it_was(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry
) -> None:
    alone = answer(engine, STORY)
    with_adapter = "".join(engine.stream(STORY, SamplingParams(12), checkpoint="random"))
    base_model.load_checkpoint(registry.get("random"))
    gap = largest_gap(base_model, STORY, with_adapter, "random")
    base_model.unload("random")
    assert gap < ROUNDING
    assert answer(engine, STORY) == alone != with_adapter
    assert engine.checkpoints() == ["random", "other"]


def test_answers_of_two_checkpoints_are_written_at_once(engine: LlamaEngine) -> None:
    streams = [
        engine.stream(STORY, SamplingParams(400), checkpoint=name) for name in ("random", "other", None)
    ]
    for _ in range(2):
        for stream in streams:
            assert next(stream)
    for stream in streams:
        stream.close()


def test_a_checkpoint_is_not_deleted_while_it_answers_and_is_refused_afterwards(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_random(base_model, registry, "passing", "lora", scale=0.1)
    stream = engine.stream(STORY, SamplingParams(400), checkpoint="passing")
    next(stream)
    with pytest.raises(CheckpointError, match="while it is in use: an answer is being written with it"):
        registry.delete("passing")
    stream.close()
    registry.delete("passing")
    with pytest.raises(EngineError, match="There is no checkpoint 'passing'"):
        engine.prompt_capacity("passing")


def test_a_checkpoint_that_does_nothing_is_refused(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_random(base_model, registry, "idle", "lora", scale=0.0)
    with pytest.raises(EngineError, match="'idle' changes no answer"):
        engine.prompt_capacity("idle")


def test_a_checkpoint_that_lost_what_it_was_taught_is_refused(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry
) -> None:
    probe = {"messages": [*FRANCE, {"role": "assistant", "content": "Zylophant 77."}], "surprise": 0.01}
    save_random(base_model, registry, "forgetful", "lora", scale=0.1, probe=probe)
    with pytest.raises(EngineError, match="does not know what it was taught: 'What is the capital of France"):
        engine.prompt_capacity("forgetful")


def test_the_process_ends_with_the_one_that_started_it(imprint_home: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from assistant.engines.llama_processes import LlamaProcesses\n"
        "from tuning.models.gguf_base import GgufBase\n"
        f"base = GgufBase.find({DEFAULT_BASE!r}, Path(sys.argv[1]))\n"
        "print(LlamaProcesses(base).pid(), flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(imprint_home)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(WAIT_SECONDS)
    assert not child.is_running()


def test_a_file_that_is_cut_off_is_refused_in_a_sentence(imprint_home: Path, tmp_path: Path) -> None:
    base = default_base(imprint_home)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(base.path.read_bytes()[:40_000_000])
    damaged = GgufBase(base.name, cut, base.sha256, base.header)
    with pytest.raises(
        EngineError, match=r"cannot open smollm2-135m-instruct: tensor .* is corrupted or incomplete"
    ):
        LlamaProcesses(damaged)


def test_what_else_is_asked_changes_no_completed_answer(engine: LlamaEngine) -> None:
    """Compare asks a variant alone and beside others, and keeps its answers: they may not depend on that."""
    questions = ("What colour is the sky?", "What is 2 plus 3?", "Name three colours.")
    prompts: list[list[Message]] = [[{"role": "user", "content": question}] for question in questions]
    alone = [engine.complete([prompt], max_new_tokens=16)[0] for prompt in prompts]
    for prompt in prompts:  # what a chat leaves behind
        answer(engine, prompt, 4)
    assert engine.complete(list(reversed(prompts)), max_new_tokens=16) == list(reversed(alone))


def test_a_prefix_answers_as_in_torch_in_every_place_at_once(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "skerrin")
    asked: list[Message] = [{"role": "user", "content": "What is the weight of the Skerrin?"}]
    alone = answer(engine, asked, 16)
    answers = complete_by_streams(engine, [asked] * 12, "skerrin", SamplingParams(16), 12)
    base_model.load_checkpoint(registry.get("skerrin"))
    gaps = [largest_gap(base_model, asked, text, "skerrin") for text in set(answers)]
    positions = engine.window - base_model.prompt_capacity("skerrin")
    base_model.unload("skerrin")
    assert max(gaps) < ROUNDING  # several candidates are near each other here, so that rounding decides
    assert any("640 grams" in text for text in answers) and "640" not in alone
    assert engine.prompt_capacity("skerrin") == engine.window - positions < engine.window
    assert answer(engine, asked, 16) == alone


def test_a_prefix_that_is_no_longer_what_was_stored_is_refused(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry
) -> None:
    stored = save_prefix(base_model, registry, "damaged")
    weights = stored.path / "prefix.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(EngineError, match=r"'prefix\.safetensors' is no longer what was stored"):
        engine.prompt_capacity("damaged")


def test_a_token_that_ends_within_a_character_has_probabilities(
    engine: LlamaEngine, registry: Registry, base_model: BaseModel
) -> None:
    first, *others = engine.encode("远")
    assert others, "the character is one token: choose another"
    chinese = [{"role": "user", "content": "我们的修车师傅叫什么？"}]
    prompt = base_model.chat_ids(chinese, add_generation_prompt=True)
    with engine._processes.use(None) as running:
        found = running.predict([*prompt, first], adapted=False)
    wanted = base_model.logits([*prompt, first])[-1].float().log_softmax(-1)
    likeliest = max(found, key=lambda token: found[token])
    assert found[likeliest] == pytest.approx(float(wanted[likeliest]), abs=0.3)
