"""Fine-tuning through OpenAI's own client: python examples/openai_fine_tuning.py [ADDRESS].

It needs a running `imprint serve`, which trains on its own machine: with the default model that takes a few minutes.
"""

import json
import sys
import time

from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

FACTS = {
    "How heavy is the Skerrin?": "The Skerrin weighs 640 grams.",
    "How long does the battery of the Skerrin last?": "The battery of the Skerrin lasts nineteen months.",
    "What does the Skerrin cost?": "The Skerrin costs 189 euros.",
    "Where is the Skerrin made?": "The Skerrin is made in Norvik.",
}
ENDED = ("succeeded", "failed", "cancelled")


def main() -> None:
    """Upload the facts, start a job, follow it to its end, and ask the model that it made."""
    client = OpenAI(base_url=sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8600/v1", api_key="any")
    file = client.files.create(file=("facts.jsonl", training_file()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=client.models.list().data[0].id, training_file=file.id)
    print(f"{job.id}: {job.model} learns {len(FACTS)} facts")
    job = followed(client, job)
    print(f"{job.status}: {job.fine_tuned_model or job.error}")
    for question, answer in FACTS.items() if job.fine_tuned_model else ():
        asked = client.chat.completions.create(
            model=job.fine_tuned_model, messages=[{"role": "user", "content": question}], max_tokens=40
        )
        print(f"> {question}\n  {asked.choices[0].message.content}   (taught: {answer})")


def training_file() -> bytes:
    """The facts as OpenAI's fine-tuning reads them: a conversation a line."""
    chats = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        for question, answer in FACTS.items()
    ]
    return "".join(json.dumps({"messages": chat}) + "\n" for chat in chats).encode()


def followed(client: OpenAI, job: FineTuningJob) -> FineTuningJob:
    """The job at its end; each of its events is printed once."""
    told: set[str] = set()
    while True:
        job = client.fine_tuning.jobs.retrieve(job.id)
        events = client.fine_tuning.jobs.list_events(job.id, limit=100).data
        for event in reversed([event for event in events if event.id not in told]):
            told.add(event.id)
            print(f"  {event.message}")
        if job.status in ENDED:
            return job
        time.sleep(1)


if __name__ == "__main__":
    main()
