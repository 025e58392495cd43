"""A tool that the model calls, through OpenAI's own client: python examples/openai_tools.py [ADDRESS].

It needs a running `imprint serve`. The call is valid on any model, since it is held to the tool's schema.
"""

import json
import sys

from openai import OpenAI

WEIGHTS = {"Skerrin": "640 grams", "Halden": "1.2 kilograms"}
TOOL = {
    "type": "function",
    "function": {
        "name": "weight_of",
        "description": "Look up how heavy a product is.",
        "parameters": {
            "type": "object",
            "properties": {"product": {"enum": list(WEIGHTS)}},
            "required": ["product"],
        },
    },
}


def main() -> None:
    """Ask, call what the model wants called, and let it answer from the result."""
    client = OpenAI(base_url=sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8600/v1", api_key="any")
    model = client.models.list().data[0].id
    chat = [{"role": "user", "content": "How heavy is the Skerrin?"}]
    asked = client.chat.completions.create(model=model, messages=chat, tools=[TOOL], max_tokens=60)
    message = asked.choices[0].message
    chat.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls or ():
        arguments = json.loads(call.function.arguments)
        result = f"The {arguments['product']} weighs {WEIGHTS[arguments['product']]}."
        print(f"The model calls {call.function.name}({arguments}): {result}")
        chat.append({"role": "tool", "tool_call_id": call.id, "content": result})
    answer = client.chat.completions.create(model=model, messages=chat, tools=[TOOL], max_tokens=40)
    print(answer.choices[0].message.content)


if __name__ == "__main__":
    main()
