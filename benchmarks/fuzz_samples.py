"""Whole inputs to begin from: chat records of each format, tables, adapters, pieces of chat templates."""

import json
import random
from collections.abc import Callable
from typing import Any

from tuning.data.examples import Message

_Q, _A = "我的项目叫什么？ What is it called?", "夜莺 🐦 Nightjar."


def _node(role: str, text: str, parent: str | None, children: list[str]) -> dict[str, Any]:
    message = {
        "author": {"role": role},
        "create_time": 1700000000.5,
        "recipient": "all",
        "content": {"content_type": "text", "parts": [text]},
    }
    return {"message": message, "parent": parent, "children": children}


RECORDS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": _Q}, {"role": "assistant", "content": _A}]},
    {
        "title": "Kite",
        "create_time": 1700000000.5,
        "current_node": "c",
        "conversation_id": "6f1e",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["a"]},
            "a": _node("user", _Q, "root", ["b", "c"]),
            "b": _node("assistant", "old", "a", []),
            "c": _node("assistant", _A, "a", []),
        },
    },
    {
        "uuid": "77",
        "name": "x",
        "created_at": "2026-01-02T03:04:05Z",
        "chat_messages": [
            {"sender": "human", "text": _Q, "created_at": "2026-01-02T03:04:05Z"},
            {"sender": "assistant", "text": "", "content": [{"type": "text", "text": _A}]},
        ],
    },
    {"conversations": [{"from": "human", "value": _Q}, {"from": "gpt", "value": _A}], "id": "1"},
    {"instruction": _Q, "input": "more", "output": _A, "system": "s", "history": [["a", "b"]]},
    {"content": _Q, "summary": _A},
    {"prompt": _Q, "response": _A},
    {"text": _Q, "label": "bird"},
    {"text": "Ann saw Halden.", "entities": [{"start": 0, "end": 3, "label": "person"}]},
    {
        "format": "imprint-conversation",
        "version": 1,
        "title": "Kite",
        "created": 1700000000.5,
        "messages": [
            {"role": "user", "content": _Q, "created": 1700000000.5},
            {
                "role": "assistant",
                "content": _A,
                "rating": 1,
                "correction": "No: Kite.",
                "status": "complete",
            },
        ],
    },
]
LAYOUTS: tuple[Callable[[list[dict[str, Any]]], str], ...] = (
    lambda records: json.dumps(records[0]),
    lambda records: json.dumps(records, ensure_ascii=False, indent=2),
    lambda records: "\n".join(map(json.dumps, records)),
    lambda records: json.dumps({"data": records}),
)
TABLES = (
    'question,answer\nWhat?,A kite.\n"two\nlines","and ""quotes"""\n',
    "prompt\tresponse\nq\ta\n",
    'prompt,response,history\nq,r,"[[""a"", ""b""]]"\n',
    "text,label\nA bird sings,bird\nA fish swims,fish\n",
)


def adapters(randn: Callable[..., Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Configuration and weights of small adapters, as PEFT writes them."""
    place = "base_model.model.model.layers.0.self_attn.q_proj"
    low = {f"{place}.lora_A.weight": randn(2, 16), f"{place}.lora_B.weight": randn(16, 2)}
    shared = {
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "some/base",
        "inference_mode": True,
        "target_modules": ["q_proj"],
    }
    lora = {
        **shared,
        "r": 2,
        "lora_alpha": 4,
        "lora_dropout": 0.1,
        "bias": "none",
        "rank_pattern": {},
        "alpha_pattern": {},
        "modules_to_save": None,
        "layers_to_transform": None,
        "use_dora": False,
    }
    ada = {f"{place}.lora_E": randn(2, 1), f"{place}.ranknum": randn(1)}
    prefix = {"num_virtual_tokens": 4, "num_layers": 2, "num_attention_heads": 2, "token_dim": 16}
    return [
        ({"peft_type": "LORA", **lora}, low),
        (
            {"peft_type": "ADALORA", **lora, "init_r": 2, "target_r": 2, "total_step": 10},
            {f"{place}.lora_A": randn(2, 16), f"{place}.lora_B": randn(16, 2), **ada},
        ),
        (
            {"peft_type": "IA3", **shared, "feedforward_modules": ["q_proj"]},
            {f"{place}.ia3_l": randn(16, 1)},
        ),
        ({"peft_type": "PREFIX_TUNING", **shared, **prefix}, {"prompt_embeddings": randn(4, 2 * 2 * 16)}),
    ]


CHAT: list[Message] = [
    {"role": "system", "content": "Short."},
    {"role": "user", "content": "Grüß dich, 灯笼"},
    {"role": "assistant", "content": "<b>Hi</b> & 'bye'"},
    {"role": "user", "content": "And?"},
]
_PIECES = (
    "{{ messages[0].content }}",
    "{{ bos_token }}",
    "{% for m in messages %}<|{{ m.role }}|>{{ m['content'] | trim }}{% endfor %}",
    "{% if add_generation_prompt %}assistant{% endif %}",
    "{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}",
    "{{ messages | tojson }}",
    "{{ messages[9].content }}",
    "{{ raise_exception('no') }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ range(99999999) | list | length }}",
    "{{ 'ab' * 9999999 }}",
    "{{ cycler.__init__.__globals__ }}",
    "{% macro m(x) %}{{ x }}{% if x > 0 %}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(50) }}",
    "{% include 'x' %}",
    "{% import 'os' as os %}",
    "{{ messages | map(attribute='content') | join('-') }}",
    "{% generation %}a{% endgeneration %}",
    "{{ strftime_now('%Y') }}",
    "{{ 1 / 0 }}",
    "{{ messages | sort(attribute='nothing') }}",
    "{{ 'x' | format(1, 2) }}{{ '%s' % 'x' }}{{ '%999999d' % 1 }}",
    "{{ undefined_name.more }}",
    "{%- raw %}{{ }}{% endraw %}",
    "\x00\ud83d",
)
_WRAPS = (
    "{{% for i in range(3) %}}{0}{{% endfor %}}",
    "{{% if messages %}}{0}{{% else %}}x{{% endif %}}",
    "{{% filter upper %}}{0}{{% endfilter %}}",
    "{{% call(x) m() %}}{0}{{% endcall %}}",
    "{{% set v %}}{0}{{% endset %}}{{{{ v }}}}",
    "{{% block b %}}{0}{{% endblock %}}",
)


def template(chance: random.Random) -> str:
    """A template of one to six pieces."""
    text = ""
    for _ in range(chance.choice((1, 2, 3, 6))):
        piece = chance.choice(_PIECES)
        if chance.random() < 0.3:
            piece = chance.choice(_WRAPS).format(piece)
        text += piece
    return text.encode("utf-8", "replace").decode()
