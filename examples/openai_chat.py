"""A chat with a running `imprint serve`, through OpenAI's own client: python examples/openai_chat.py [ADDRESS]."""

import sys

from openai import OpenAI


def main() -> None:
    """Ask once and again in the same conversation, streamed; print what it cost."""
    client = OpenAI(base_url=sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8600/v1", api_key="any")
    model = client.models.list().data[0].id
    chat = []
    for question in ("How many legs has a spider?", "And an ant?"):
        chat.append({"role": "user", "content": question})
        print(f"> {question}")
        answer = ""
        stream = client.chat.completions.create(
            model=model, messages=chat, max_tokens=40, stream=True, stream_options={"include_usage": True}
        )
        for chunk in stream:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                answer += text
                print(text, end="", flush=True)
            if chunk.usage:
                print(
                    f"\n  ({chunk.usage.prompt_tokens} tokens read, {chunk.usage.completion_tokens} written)"
                )
        chat.append({"role": "assistant", "content": answer})


if __name__ == "__main__":
    main()
