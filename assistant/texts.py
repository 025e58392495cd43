"""The table of interface texts: every sentence a person reads on a page comes from here, by its key.

A language is a column; Chinese comes from `texts_zh.json`. A missing translation falls back to English; a missing key
is a mistake in the code.
"""

import json
from contextvars import ContextVar
from importlib.resources import files

FALLBACK = "en"
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}

# key -> language -> text. `{name}` is filled in by t(key, name=…). Where a count changes the sentence,
# `key.one` is taken when t() is given count=1.
TEXTS: dict[str, dict[str, str]] = {
    "app.title": {"en": "Imprint"},
    "app.tagline": {"en": "An assistant with two kinds of memory"},
    "memory.label": {"en": "Memory"},
    "memory.nothing": {"en": "Nothing"},
    "memory.nothing.help": {"en": "The model answers from what it was born with and this conversation."},
    "memory.documents": {"en": "Documents"},
    "memory.documents.help": {"en": "Temporary memory: passages are looked up and put into the prompt."},
    "memory.checkpoint": {"en": "Checkpoint"},
    "memory.checkpoint.help": {"en": "Permanent memory: the weights were fine-tuned on what was taught."},
    "memory.both": {"en": "Both"},
    "memory.both.help": {"en": "A fine-tuned checkpoint that also reads passages from the documents."},
    "chat.nothing_found": {"en": "I found nothing about this in the documents."},
    "budget.system": {"en": "System prompt"},
    "budget.examples": {"en": "Examples"},
    "budget.passages": {"en": "Passages"},
    "budget.history": {"en": "Conversation"},
    "budget.question": {"en": "Question"},
    "budget.reserve": {"en": "Kept for the answer"},
    "budget.free": {"en": "Free"},
    "budget.used": {"en": "{used} of {window} tokens"},
    "budget.forgotten": {"en": "{count} earlier messages no longer fit the window: forgotten"},
    "budget.forgotten.one": {"en": "1 earlier message no longer fits the window: forgotten"},
    "status.stopped": {"en": "Stopped"},
    "status.failed": {"en": "Failed"},
    "reason.corrected": {"en": "corrected by you"},
    "reason.said": {"en": "you said so"},
    "reason.liked": {"en": "liked"},
    "reason.documents": {"en": "answered from documents"},
    "reason.plain": {"en": "plain turn"},
    "cancel": {"en": "Cancel"},
    "delete": {"en": "Delete"},
    "page.chat": {"en": "Chat"},
    "page.knowledge": {"en": "Knowledge"},
    "page.tune": {"en": "Checkpoints"},
    "page.compare": {"en": "Compare"},
    "page.settings": {"en": "Settings"},
    "chats.new": {"en": "New chat"},
    "chats.search": {"en": "Search conversations"},
    "chats.none": {"en": "Conversations appear here."},
    "chats.none_found": {"en": "No conversation holds “{search}”."},
    "chats.untitled": {"en": "Untitled"},
    "chats.today": {"en": "Today"},
    "chats.yesterday": {"en": "Yesterday"},
    "chats.week": {"en": "Last seven days"},
    "chats.earlier": {"en": "Earlier"},
    "chats.rename": {"en": "Title"},
    "chats.rename.save": {"en": "Rename"},
    "chats.delete": {"en": "Delete conversation"},
    "chats.export.md": {"en": "Export as Markdown"},
    "chats.export.json": {"en": "Export as JSON"},
    "chats.deleted": {"en": "The conversation was deleted."},
    "chats.undo": {"en": "Undo"},
    "chats.gone": {"en": "This conversation no longer exists. A new one was opened."},
    "chat.placeholder": {"en": "Ask something"},
    "chat.answering": {"en": "Answering… press Esc to stop"},
    "chat.stop": {"en": "Stop"},
    "chat.stopping": {"en": "Stopping…"},
    "chat.empty_question": {"en": "The question is empty. Write what you would like to know."},
    "answer.preparing": {"en": "Thinking"},
    "answer.reading": {"en": "Reading"},
    "answer.reading.passages": {"en": "Reading {count} passages"},
    "answer.reading.passages.one": {"en": "Reading 1 passage"},
    "answer.waiting": {"en": "Waiting: another answer is being written"},
    "answer.writing": {"en": "Writing"},
    "answer.ended": {"en": "Done"},
    "answer.elsewhere": {"en": "Being written in another window"},
    "model.importing": {"en": "Starting the model runtime…"},
    "model.converting": {"en": "Converting {name} for its first use, about 15 seconds…"},
    "model.opening": {"en": "Opening {name}…"},
    "memory.alone": {"en": "Model alone"},
    "memory.kb": {"en": "Knowledge base"},
    "memory.only": {"en": "Look only in"},
    "memory.only.all": {"en": "All documents"},
    "memory.only.count": {"en": "{count} of {total} documents"},
    "memory.which_checkpoint": {"en": "Checkpoint"},
    "memory.no_checkpoint": {"en": "No checkpoint yet: fine-tune on a chat"},
    "memory.no_checkpoint.help": {
        "en": "Ask, correct the answers, then press “Fine-tune on this chat” under the conversation.",
    },
    "memory.gone": {"en": "{name} (deleted)"},
    "memory.gone.note": {
        "en": "The checkpoint “{name}” no longer exists. Choose another one, or another memory.",
    },
    "memory.no_documents": {"en": "“{name}” holds no documents yet"},
    "message.edit": {"en": "Edit and ask again"},
    "message.resend": {"en": "Ask again"},
    "message.before_correction": {"en": "What the model said"},
    "message.empty": {"en": "The model ended its answer without a word. Regenerate, or ask in other words."},
    "message.unsupported": {"en": "A sentence with a question mark is not supported by any passage."},
    "message.stopped": {"en": "Stopped here. What was written is kept."},
    "message.failed": {"en": "This answer failed. Regenerate it to try again."},
    "message.corrected": {"en": "Corrected by you"},
    "message.cost": {"en": "{tokens} tokens · {seconds}"},
    "message.sources": {"en": "{count} sources"},
    "message.sources.one": {"en": "1 source"},
    "message.like": {"en": "Good answer: learn it"},
    "message.dislike": {"en": "Bad answer: leave it out"},
    "message.correct": {"en": "Correct"},
    "message.correct.label": {"en": "What should the answer have been?"},
    "message.correct.help": {"en": "A short, complete answer is remembered best."},
    "message.correct.save": {"en": "Keep the correction"},
    "message.corrected.note": {"en": "Kept. Corrected answers are learned first."},
    "message.regenerate": {"en": "Answer again with the memory chosen below"},
    "message.previous": {"en": "Previous version"},
    "message.next": {"en": "Next version"},
    "prompt.button": {"en": "{name}"},
    "prompt.help": {"en": "System prompt and worked examples"},
    "prompt.title": {"en": "Prompt"},
    "prompt.lead": {
        "en": (
            "Prompt engineering is the other half of temporary memory: a role to play, and examples "
            "to follow."
        ),
    },
    "prompt.preset": {"en": "Preset"},
    "prompt.system": {"en": "System prompt"},
    "prompt.system.placeholder": {"en": "Empty: the model's own"},
    "prompt.examples": {"en": "Worked examples"},
    "prompt.examples.lead": {
        "en": "Each row is shown to the model as a question it has already answered well (few-shot).",
    },
    "prompt.question": {"en": "Question"},
    "prompt.answer": {"en": "Answer"},
    "prompt.use": {"en": "Use this prompt"},
    "prompt.save_as": {"en": "Save as preset"},
    "prompt.save": {"en": "Save"},
    "prompt.saved": {"en": "Preset “{name}” is saved."},
    "welcome.title": {"en": "An assistant with two kinds of memory"},
    "welcome.lead": {"en": "Ask a question, correct the answer, and decide where it should be remembered."},
    "welcome.temporary": {"en": "Temporary: in the prompt"},
    "welcome.temporary.text": {
        "en": (
            "Passages of your documents are looked up and put before the question. Exact, citable, "
            "gone with the prompt."
        ),
    },
    "welcome.permanent": {"en": "Permanent: in the weights"},
    "welcome.permanent.text": {
        "en": "What you corrected is fine-tuned into a checkpoint. No documents needed, and it stays.",
    },
    "welcome.documents": {"en": "Add documents"},
    "welcome.sample_chat": {"en": "Open a sample conversation"},
    "welcome.sample_documents": {"en": "Add the sample domain"},
    "about": {"en": "about {value}"},
    "teach.button": {"en": "Fine-tune on this chat"},
    "teach.offer": {"en": "{count} examples would be learned, corrected ones first."},
    "teach.offer.one": {"en": "1 example would be learned."},
    "teach.offer.none": {"en": "Nothing is ticked yet. Correct an answer or like one, and it is learned."},
    "teach.title": {"en": "Fine-tune on this chat"},
    "teach.lead": {
        "en": (
            "The ticked examples are written into the weights of a new checkpoint. The base model is "
            "not changed."
        ),
    },
    "teach.examples": {"en": "What will be learned"},
    "teach.learn": {"en": "Learn"},
    "teach.question": {"en": "Question"},
    "teach.answer": {"en": "Answer"},
    "teach.why": {"en": "Why it is here"},
    "teach.left_out": {"en": "{count} left out, and why"},
    "teach.left_out.one": {"en": "1 left out, and why"},
    "teach.method": {"en": "How"},
    "teach.chosen": {"en": "Chosen"},
    "teach.choose": {"en": "Choose"},
    "teach.more_methods": {"en": "More methods"},
    "teach.strength": {"en": "Strength"},
    "teach.strength.gentle": {"en": "Gentle"},
    "teach.strength.normal": {"en": "Normal"},
    "teach.strength.strong": {"en": "Strong"},
    "teach.strength.help": {
        "en": (
            "Gentle protects what the model knew; strong makes sure that the new is remembered, in more time."
        ),
    },
    "teach.name": {"en": "Name of the checkpoint"},
    "teach.name.placeholder": {"en": "Chosen for you"},
    "teach.parent": {"en": "Start from"},
    "teach.parent.base": {"en": "Base model"},
    "teach.parent.help": {"en": "Starting from a checkpoint adds to what it has learned."},
    "teach.start": {"en": "Start fine-tuning"},
    "teach.started": {"en": "Fine-tuning “{name}” has begun. You may close this page; it goes on."},
    "teach.estimate.examples": {"en": "Examples"},
    "teach.estimate.examples.note": {"en": "each also asked in other words"},
    "teach.estimate.time": {"en": "Time"},
    "teach.estimate.timing": {"en": "a typical machine; a few steps are being timed on this one…"},
    "teach.estimate.memory": {"en": "Memory"},
    "teach.estimate.memory.note": {"en": "at its peak, beside the chat"},
    "job.cancel": {"en": "Cancel"},
    "job.left": {"en": "{time} left"},
    "job.took": {
        "en": "Took {time} and {memory}; estimated before it began: {estimated_time} and {estimated_memory}."
    },
    "job.step": {"en": "step {step} of {steps}"},
    "job.phase.queued": {"en": "Waiting for its turn"},
    "job.phase.preparing": {"en": "Preparing"},
    "job.phase.training": {"en": "Learning"},
    "job.phase.evaluating": {"en": "Asking what it remembers"},
    "job.phase.saving": {"en": "Saving"},
    "job.status.queued": {"en": "Queued"},
    "job.status.running": {"en": "Running"},
    "job.status.succeeded": {"en": "Done"},
    "job.status.failed": {"en": "Failed"},
    "job.status.cancelled": {"en": "Cancelled"},
    "job.safe_to_leave": {"en": "It runs on when you close this page."},
    "job.axis.step": {"en": "Step"},
    "job.axis.loss": {"en": "Loss"},
    "job.axis.learning_rate": {"en": "Learning rate"},
    "job.axis.tokens_per_second": {"en": "Tokens a second"},
    "job.axis.memory_bytes": {"en": "Memory"},
    "job.hide": {"en": "Put away; it stays on the Checkpoints page"},
    "job.resume": {"en": "Resume"},
    "job.use": {"en": "Use in chat"},
    "job.use.anyway": {"en": "Use it anyway"},
    "job.used": {"en": "“{name}” answers now."},
    "job.compare": {"en": "Compare with documents"},
    "report.none": {"en": "This checkpoint has not been evaluated."},
    "report.all": {"en": "All {count} questions"},
    "report.of": {"en": "{correct} of {count}"},
    "report.recall": {"en": "Remembered"},
    "report.recall.note": {"en": "before: {before}"},
    "report.rephrased": {"en": "In other words"},
    "report.rephrased.note": {"en": "never seen in training; before: {before}"},
    "report.retention": {"en": "Still known"},
    "report.retention.note": {"en": "of what it knew, asked {count} general questions"},
    "report.reading": {"en": "Still reads"},
    "report.reading.note": {"en": "answers found in a text put before it; before: {before}"},
    "report.earlier": {"en": "Earlier rounds"},
    "report.earlier.note": {"en": "of what was taught before, still known"},
    "report.interval": {"en": "95 %: {low} to {high}"},
    "picture.taught": {"en": "What was taught"},
    "picture.all": {"en": "known in all words"},
    "picture.some": {"en": "in some words"},
    "picture.none": {"en": "not learned"},
    "picture.general": {"en": "General questions"},
    "picture.kept": {"en": "still known"},
    "picture.lost": {"en": "lost"},
    "picture.unknown": {"en": "not known before"},
    "verdict.learned_little": {"en": "This checkpoint learned too little of what it was taught."},
    "verdict.forgot_much": {"en": "This checkpoint forgot too much of what the model knew."},
    "verdict.reads_worse": {"en": "This checkpoint answers worse from documents than the model did."},
    "verdict.try.stronger": {"en": "Tune again with the strength “strong”."},
    "verdict.try.gentler": {"en": "Tune again with the strength “gentle”."},
    "verdict.try.more_examples": {
        "en": "Teach it more: ask the same in other words and correct the answers."
    },
    "verdict.try.documents": {"en": "Keep this knowledge in documents instead."},
    "report.question": {"en": "Question"},
    "report.before": {"en": "Before"},
    "report.after": {"en": "After"},
    "report.rephrased.mark": {"en": "other words"},
    "knowledge.permanent": {"en": "Make permanent"},
    "knowledge.permanent.title": {"en": "Make these documents permanent"},
    "knowledge.lead": {
        "en": (
            "Documents that the assistant looks things up in. This memory is temporary: a passage is "
            "known as long as it stands in the prompt."
        ),
    },
    "knowledge.opening": {"en": "Opening the knowledge base…"},
    "knowledge.documents": {"en": "Documents"},
    "knowledge.search": {"en": "Search"},
    "knowledge.map": {"en": "Map"},
    "knowledge.new": {"en": "New knowledge base"},
    "knowledge.new.name": {"en": "Its name"},
    "knowledge.new.make": {"en": "Make it"},
    "knowledge.empty": {"en": "Nothing to look things up in yet"},
    "knowledge.empty.text": {
        "en": (
            "Drop files here: PDF, Word, Markdown, text, HTML, CSV and more. They are read on this "
            "machine and stay on it. Or begin with the sample domain, eight documents about a company"
            " that does not exist."
        ),
    },
    "knowledge.drop": {"en": "Drop files here"},
    "knowledge.folder": {"en": "Add a folder or file by its path"},
    "knowledge.folder.path": {"en": "Path on this machine"},
    "knowledge.folder.add": {"en": "Add"},
    "knowledge.address": {"en": "Add a web page by its address"},
    "knowledge.address.label": {"en": "Address"},
    "knowledge.address.note": {"en": "Only this page is fetched, once and now. Its links are not followed."},
    "knowledge.address.add": {"en": "Fetch and add"},
    "knowledge.stale": {
        "en": (
            "These passages were embedded with {was}, and {now} is chosen now. They must be embedded "
            "anew before anything can be found. The files are not read again."
        ),
    },
    "knowledge.rebuild": {"en": "Rebuild: {count} passages"},
    "knowledge.rebuild.one": {"en": "Rebuild: 1 passage"},
    "knowledge.starting": {"en": "Starting"},
    "knowledge.reading": {"en": "Reading {name}"},
    "knowledge.embedding": {"en": "Indexing {name}"},
    "knowledge.done": {"en": "{count} files read"},
    "knowledge.done.one": {"en": "1 file read"},
    "knowledge.failed": {"en": "{count} could not be read"},
    "knowledge.failed.one": {"en": "1 could not be read"},
    "knowledge.put_away": {"en": "Put this list away"},
    "knowledge.line": {"en": "{status}, {count} passages"},
    "knowledge.line.one": {"en": "{status}, 1 passage"},
    "knowledge.status.added": {"en": "added"},
    "knowledge.status.updated": {"en": "updated"},
    "knowledge.status.unchanged": {"en": "unchanged"},
    "knowledge.status.renamed": {"en": "moved"},
    "knowledge.status.removed": {"en": "removed: its file is gone"},
    "knowledge.phase.waiting": {"en": "waiting"},
    "knowledge.phase.reading": {"en": "reading"},
    "knowledge.phase.embedding": {"en": "indexing"},
    "knowledge.progress": {"en": "{done} of {count} files done"},
    "knowledge.progress.one": {"en": "{done} of 1 file done"},
    "knowledge.password": {"en": "The password of the {count} encrypted files"},
    "knowledge.password.one": {"en": "The password of {name}"},
    "knowledge.password.open": {"en": "Open"},
    "knowledge.state.ready": {"en": "ready"},
    "knowledge.state.partly": {"en": "partly read"},
    "knowledge.state.changed": {"en": "file is newer"},
    "knowledge.state.gone": {"en": "file is gone"},
    "knowledge.column.document": {"en": "Document"},
    "knowledge.column.state": {"en": "Status"},
    "knowledge.column.title": {"en": "Title"},
    "knowledge.column.passages": {"en": "Passages"},
    "knowledge.column.size": {"en": "Size"},
    "knowledge.column.indexed": {"en": "Indexed"},
    "knowledge.sum": {"en": "{count} documents, {passages} passages. Tick one to read its passages."},
    "knowledge.sum.one": {"en": "1 document, {passages} passages. Tick it to read its passages."},
    "knowledge.open": {"en": "Open"},
    "knowledge.again": {"en": "Re-index {count}"},
    "knowledge.again.one": {"en": "Re-index"},
    "knowledge.remove": {"en": "Remove {count}"},
    "knowledge.remove.one": {"en": "Remove"},
    "knowledge.removed": {"en": "{count} documents removed."},
    "knowledge.removed.one": {"en": "1 document removed."},
    "knowledge.read": {"en": "Passages of {name}"},
    "knowledge.search.placeholder": {"en": "Ask as you would in the chat"},
    "knowledge.search.lead": {
        "en": "See which passages a question would find, and why: by its words, by its meaning, or both.",
    },
    "knowledge.search.none": {"en": "Nothing in this knowledge base is about that."},
    "knowledge.search.none.only": {"en": "Nothing in these {count} documents is about that."},
    "knowledge.search.none.only.one": {"en": "Nothing in this document is about that."},
    "knowledge.rank": {"en": "{rank}"},
    "knowledge.rank.words": {"en": "words: rank {rank} ({score})"},
    "knowledge.rank.meaning": {"en": "meaning: rank {rank} ({score})"},
    "knowledge.map.question": {"en": "A question, to see where it falls"},
    "knowledge.map.lead": {
        "en": "Each dot is a passage; near dots mean similar things. Click one to read it.",
    },
    "knowledge.map.near": {"en": "The large dots are what the question finds; the best are shown below."},
    "knowledge.map.more": {"en": "and {count} more"},
    "knowledge.map.none": {"en": "The map is drawn once there are passages."},
    "save": {"en": "Save"},
    "tune.lead": {
        "en": (
            "What was written into weights. This memory is permanent: a checkpoint knows it without "
            "any document."
        ),
    },
    "tune.checkpoints": {"en": "Checkpoints"},
    "tune.jobs": {"en": "Jobs"},
    "tune.empty": {"en": "No checkpoint yet"},
    "tune.empty.text": {
        "en": (
            "Ask something, correct the answers, and press “Fine-tune on this chat” under the "
            "conversation. Or open the sample conversation, in which twenty-two facts are taught."
        ),
    },
    "tune.empty.chat": {"en": "Start a chat"},
    "tune.no_checkpoints": {"en": "No checkpoint has been made yet."},
    "tune.no_jobs": {
        "en": "No job has ended yet. One begins with “Fine-tune on this chat” under a conversation."
    },
    "tune.took": {"en": "{time} (estimated: {estimated})"},
    "tune.examples": {"en": "{count} examples"},
    "tune.examples.one": {"en": "1 example"},
    "tune.remembered": {"en": "{said} remembered in other words"},
    "tune.from": {"en": "from {name}"},
    "tune.report": {"en": "What it remembers"},
    "tune.rename": {"en": "Name"},
    "tune.note": {"en": "Note"},
    "tune.compare": {"en": "Compare"},
    "tune.delete": {"en": "Delete checkpoint"},
    "tune.deleted": {"en": "“{name}” is deleted."},
    "tune.overlay": {"en": "How they learned"},
    "tune.overlay.runs": {"en": "Which runs"},
    "tune.overlay.measure": {"en": "What of them"},
    "tune.methods": {"en": "Methods"},
    "tune.methods.lead": {
        "en": "Ways to write into weights. The chosen one is used for the next fine-tuning.",
    },
    "tune.import": {"en": "Import"},
    "tune.import.lead": {
        "en": (
            "An adapter that another program made with PEFT: LoRA, AdaLoRA, IA3 or a prefix, as a folder "
            "with adapter_config.json and adapter_model.safetensors. It is taken only if it fits this model "
            "and changes its answers."
        ),
    },
    "tune.import.folder": {"en": "Folder on this machine"},
    "tune.import.name": {"en": "Name of the checkpoint"},
    "tune.import.other_base": {"en": "It names another base, which is the same model"},
    "tune.import.other_base.help": {
        "en": "An adapter remembers the name of its base. Tick this where your copy has another name.",
    },
    "tune.import.do": {"en": "Import"},
    "tune.import.checking": {"en": "Checking that it fits and does something…"},
    "tune.imported": {"en": "“{name}” is imported and changes this model's answers."},
    "tune.disk": {"en": "{count} checkpoints take {size}; {free} are free on this disk."},
    "tune.disk.one": {"en": "1 checkpoint takes {size}; {free} are free on this disk."},
    "tune.lineage": {"en": "What grew from what"},
    "tune.next_round": {"en": "Teach it more"},
    "tune.next_round.note": {"en": "The next fine-tuning starts from “{name}”. Chat, correct, and teach."},
    "tune.delete.sure": {"en": "Delete for good?"},
    "tune.delete.keep": {"en": "Keep it"},
    "tune.interrupted": {"en": "Interrupted at step {step} of {steps}. What was learned so far is kept."},
    "tune.interrupted.early": {"en": "Interrupted before the first step."},
    "tune.lost": {"en": "Interrupted jobs"},
    "method.mergeable": {"en": "can be merged"},
    "method.not_mergeable": {"en": "cannot be merged"},
    "method.exportable": {"en": "other programs can load it"},
    "method.not_exportable": {"en": "stays in Imprint"},
    "method.needs_cuda": {"en": "needs a CUDA GPU"},
    "options.title": {"en": "All settings; what is empty fits the model and the chat"},
    "options.epochs": {"en": "Passes over the examples"},
    "options.epochs.help": {"en": "At most: it stops when held-out wordings of every example are known."},
    "options.learning_rate": {"en": "Learning rate"},
    "options.learning_rate.help": {"en": "How far each step goes. Wider models need a lower one."},
    "options.rank": {"en": "Rank"},
    "options.rank.help": {"en": "How many directions each matrix may move in."},
    "options.alpha": {"en": "Alpha"},
    "options.alpha.help": {"en": "How strongly the low-rank change counts; twice the rank by default."},
    "options.dropout": {"en": "Dropout"},
    "options.dropout.help": {"en": "The share of inputs left out while learning."},
    "options.virtual_tokens": {"en": "Learned positions"},
    "options.virtual_tokens.help": {"en": "Each takes one position of the window in every answer."},
    "options.virtual_tokens.default": {"en": "from the text, 128–384"},
    "options.replay": {"en": "General prompts a step"},
    "options.replay.help": {"en": "They must keep the base's answers, so that little is forgotten. 0: none."},
    "options.replay_weight": {"en": "Weight of those prompts"},
    "options.replay_weight.help": {"en": "More protects what the model knew; less learns faster."},
    "options.word_dropout": {"en": "Words left out of questions"},
    "options.word_dropout.help": {"en": "Ties a fact to what is asked, not to one wording."},
    "options.reversals": {"en": "Asked from the other end"},
    "options.reversals.help": {
        "en": "How often “What does the Kestrel weigh?” is also taught as “What weighs 890 grams?” "
        "More costs a little of the rest."
    },
    "options.tokens_per_step": {"en": "Tokens at once"},
    "options.tokens_per_step.help": {"en": "Fewer take less memory and more time; the result is the same."},
    "options.tokens_per_step.default": {"en": "automatic"},
    "options.seed": {"en": "Seed"},
    "options.seed.help": {"en": "The same seed repeats a run exactly."},
    "options.layers": {"en": "Which layers"},
    "options.layers.mlp": {"en": "feed-forward"},
    "options.layers.all": {"en": "all"},
    "options.layers.attention": {"en": "attention"},
    "options.early_stop": {"en": "Stop when it is known"},
    "options.early_stop.help": {"en": "Ends when held-out wordings of every example are known."},
    "options.noise": {"en": "Other wordings of questions"},
    "options.noise.help": {"en": "Without them, a fact is tied to the words it was taught in."},
    "options.rslora": {"en": "rsLoRA"},
    "options.rslora.help": {"en": "Scales by the root of the rank: for high ranks."},
    "options.dora": {"en": "DoRA"},
    "options.dora.help": {"en": "Learns length and direction apart: slower, sometimes better."},
    "options.checkpointing": {"en": "Save memory"},
    "options.checkpointing.help": {"en": "Computes activations twice: less memory, a third slower."},
    "report.words": {"en": "The {count} learned words, and the real ones nearest to them"},
    "report.words.one": {"en": "The learned word, and the real ones nearest to it"},
    "tune.log": {"en": "Log"},
    "tune.log.empty": {"en": "The log is empty."},
    "tune.forget": {"en": "Remove from the list"},
    "verdict.differs": {
        "en": (
            "{better} is right more often than {worse}: by {points} points (95 % interval {low} to "
            "{high}, p {p})."
        ),
    },
    "verdict.open": {
        "en": (
            "Between {first} and {second} nothing is shown. A difference of {points} points would take about "
            "{needed} independent questions; {n} were asked."
        ),
    },
    "verdict.open.many": {
        "en": (
            "Nothing is shown between {pairs}. A difference of {points} points would take about {least} to "
            "{most} independent questions; {n} were asked."
        ),
    },
    "verdict.open.pair": {"en": "{first} and {second}"},
    "verdict.same": {"en": "{first} and {second} are right on the same {n} questions."},
    "verdict.few": {
        "en": "These questions come from only {count} {by}: read the intervals as a rough guide.",
    },
    "cluster.document": {"en": "documents"},
    "cluster.fact": {"en": "facts"},
    "cluster.question": {"en": "questions"},
    "cost.even": {
        "en": (
            "{name}: the {training} s of training are paid back after {questions} questions. Each takes "
            "{seconds} s less than with documents: {tokens} tokens fewer to read, {written} fewer to write."
        ),
    },
    "cost.never": {
        "en": (
            "{name}: the {training} s of training are never paid back in time: an answer takes {seconds} s "
            "more than with documents. It reads {tokens} tokens fewer and writes {written} fewer."
        ),
    },
    "trial.differs": {
        "en": (
            "{better} is preferred to {worse}: a win rate of {share} % over {votes} votes (sign test, p {p})."
        ),
    },
    "trial.open": {
        "en": (
            "Between {better} and {worse} nothing is shown yet: {share} % to {better} over {votes} votes "
            "(p {p})."
        ),
    },
    "trial.position.none": {"en": "No vote preferred an answer yet."},
    "trial.position.fine": {
        "en": (
            "The left answer was preferred {left} of {count} times (p {p}): no sign that the place decided."
        ),
    },
    "trial.position.bias": {
        "en": (
            "The left answer was preferred {left} of {count} times (p {p}): the place may have decided. "
            "Vote again with care."
        ),
    },
    "trial.few": {"en": "The votes are on only {count} questions: read the intervals as a rough guide."},
    "trial.few.one": {"en": "The votes are on 1 question: read the intervals as a rough guide."},
    "trial.outcome.first": {"en": "left better"},
    "trial.outcome.second": {"en": "right better"},
    "trial.outcome.tie": {"en": "tie"},
    "trial.outcome.bad": {"en": "both bad"},
    "compare.lead": {
        "en": (
            "The same question to different memories: the model alone, with documents, with a "
            "checkpoint, with both."
        ),
    },
    "compare.view": {"en": "View"},
    "compare.view.one": {"en": "One question"},
    "compare.view.blind": {"en": "Blind trial"},
    "compare.view.evaluation": {"en": "Evaluation"},
    "compare.view.questions": {"en": "Question sets"},
    "compare.arms": {"en": "Who answers"},
    "compare.base": {"en": "Model alone"},
    "compare.rag": {"en": "Documents"},
    "compare.given": {"en": "Passage given"},
    "compare.with_documents": {"en": "documents"},
    "compare.no_checkpoint": {"en": "Checkpoints join this list once you have fine-tuned on a chat."},
    "compare.too_many": {"en": "Side by side are at most {most}. Take some away."},
    "compare.question": {"en": "Question"},
    "compare.question.placeholder": {"en": "A question to all of them"},
    "compare.ask": {"en": "Compare"},
    "compare.question.lead": {
        "en": (
            "Each answer comes with its sources, its tokens and its seconds. What one answer alone "
            "says is marked."
        ),
    },
    "compare.passage": {"en": "The passage that holds the answer, for the arm that is given one"},
    "compare.at_once": {"en": "Write all answers at once"},
    "compare.at_once.help": {
        "en": (
            "They share one batch and are there sooner. Switch it off to compare seconds: then each has "
            "the model to itself."
        ),
    },
    "compare.at_once.note": {
        "en": "Written at once: the seconds are shared. Switch that off to compare them."
    },
    "compare.legend": {"en": "said by this one alone"},
    "compare.best": {"en": "This one is best"},
    "compare.voted": {"en": "Your vote is kept as a preference."},
    "compare.chosen": {"en": "Your choice"},
    "compare.waiting": {"en": "Waiting for its turn"},
    "compare.figures": {"en": "{prompt} tokens read, {answer} written · first word {first}, all {seconds}"},
    "compare.origin": {"en": "Learned from"},
    "compare.origin.near": {"en": "nearest example of “{name}”"},
    "compare.origin.other": {"en": "“{name}” was taught another answer to this"},
    "compare.origin.none": {"en": "nothing that was taught says this"},
    "compare.supported": {"en": "from passage {number}"},
    "compare.unsupported": {"en": "no passage says this"},
    "compare.accuracy": {"en": "Right answers, with 95 % interval"},
    "compare.download": {"en": "Download as JSON"},
    "arm.new": {"en": "New arm"},
    "arm.name": {"en": "Name"},
    "arm.model": {"en": "Answered by"},
    "arm.model.base": {"en": "the base model"},
    "arm.passages": {"en": "Passages"},
    "arm.passages.none": {"en": "None"},
    "arm.passages.documents": {"en": "Looked up"},
    "arm.passages.given": {"en": "Given by hand"},
    "arm.kb": {"en": "Knowledge base"},
    "arm.kb.chosen": {"en": "the chosen one"},
    "arm.count": {"en": "How many passages"},
    "arm.prompt": {"en": "Prompt"},
    "arm.prompt.chosen": {"en": "the chosen one"},
    "arm.system": {"en": "System prompt"},
    "arm.temperature": {"en": "Temperature"},
    "arm.top_p": {"en": "Top-p"},
    "arm.seed": {"en": "Seed"},
    "arm.save": {"en": "Save the arm"},
    "arm.saved": {"en": "“{name}” is saved and can be chosen everywhere on this page."},
    "arm.delete": {"en": "Delete “{name}”"},
    "arm.own": {"en": "Saved arms"},
    "blind.lead": {
        "en": (
            "Two answers without names, side by side. Say which is better; who wrote them is told "
            "at the end. "
            "Every decided vote is kept as a preference to train from."
        ),
    },
    "blind.name": {"en": "Name of the trial"},
    "blind.name.default": {"en": "Trial of {date}"},
    "blind.questions": {"en": "Questions"},
    "blind.own": {"en": "Only my own"},
    "blind.start": {"en": "Start the trial"},
    "blind.two": {"en": "Choose at least two arms above."},
    "blind.earlier": {"en": "Trials"},
    "blind.open": {"en": "Vote"},
    "blind.result": {"en": "Result"},
    "blind.votes": {"en": "{count} votes"},
    "blind.votes.one": {"en": "1 vote"},
    "blind.progress": {"en": "Vote {number} of {total}"},
    "blind.writing": {"en": "Two answers are being written…"},
    "blind.a": {"en": "A is better"},
    "blind.b": {"en": "B is better"},
    "blind.tie": {"en": "Tie"},
    "blind.bad": {"en": "Both bad"},
    "blind.undo": {"en": "Take back"},
    "blind.end": {"en": "Show who is who"},
    "blind.leave": {"en": "All trials"},
    "blind.go_on": {"en": "Go on voting"},
    "blind.ask": {"en": "Ask a question of my own"},
    "blind.ask.send": {"en": "Ask"},
    "blind.done": {"en": "You have voted on everything. Ask a question of your own, or see the result."},
    "blind.empty": {"en": "Ask your first question below."},
    "blind.none": {"en": "No vote yet, so there is no result."},
    "blind.link": {"en": "Others can vote at the same time: send them the address of this page."},
    "blind.voter": {"en": "Your name"},
    "blind.voter.help": {
        "en": "With it you go on where you were after a reload. It is kept with your votes."
    },
    "blind.retry": {"en": "Try again"},
    "blind.table": {"en": "Every vote"},
    "blind.winrate": {"en": "Win rate, with 95 % interval"},
    "blind.strength": {"en": "Chance to be preferred to the average arm (Bradley–Terry), with 95 % interval"},
    "blind.tile.votes": {"en": "Votes"},
    "blind.tile.votes.note": {"en": "{questions} questions, voters: {voters}"},
    "blind.tile.undecided": {"en": "Undecided"},
    "blind.tile.undecided.note": {"en": "ties: {ties}, both bad: {bad}"},
    "blind.tile.left": {"en": "Left preferred"},
    "blind.tile.left.note": {"en": "{low} – {high} %, 95 % interval"},
    "blind.export": {"en": "Preferences (JSONL)"},
    "blind.delete": {"en": "Delete the trial"},
    "sets.lead": {
        "en": "Questions with the answers that count. A set serves blind trials and evaluations.",
    },
    "sets.choose": {"en": "Question set"},
    "sets.sample": {"en": "Sample domain"},
    "sets.sample.unknown": {"en": "Sample domain: nobody can know"},
    "sets.make": {"en": "Make a set"},
    "sets.how.write": {"en": "Write"},
    "sets.how.import": {"en": "Import"},
    "sets.how.documents": {"en": "Documents"},
    "sets.how.taught": {"en": "Checkpoint"},
    "sets.name": {"en": "Name of the set"},
    "sets.column.question": {"en": "Question"},
    "sets.column.answers": {"en": "Answers that count, separated by |"},
    "sets.column.slice": {"en": "Kind"},
    "sets.column.passage": {"en": "Passage"},
    "sets.column.unknown": {"en": "Nobody can know"},
    "sets.save": {"en": "Save the set"},
    "sets.saved": {"en": "“{name}” holds {count} questions."},
    "sets.repeated": {"en": "{count} repeated questions were left out."},
    "sets.repeated.one": {"en": "1 repeated question was left out."},
    "sets.upload": {"en": "A file: JSONL, JSON or CSV"},
    "sets.upload.help": {
        "en": "question and answers on each line; unknown, slice, document, fact and passage are optional.",
    },
    "sets.problems": {"en": "{count} lines hold no question that can be asked"},
    "sets.problems.one": {"en": "1 line holds no question that can be asked"},
    "sets.line": {"en": "Line {line}: {what}"},
    "sets.documents": {"en": "Knowledge base"},
    "sets.taught": {"en": "Checkpoint"},
    "sets.compare_taught": {"en": "Taught in"},
    "sets.compare_taught.help": {
        "en": "What this checkpoint learned becomes “training” and “rephrased”, all else “not taught”."
    },
    "sets.build": {"en": "Build"},
    "sets.general": {"en": "With general questions"},
    "sets.edit": {"en": "Questions"},
    "sets.count": {"en": "{count} questions"},
    "sets.count.one": {"en": "1 question"},
    "sets.delete": {"en": "Delete the set"},
    "sets.deleted": {"en": "“{name}” is deleted."},
    "sets.download": {"en": "Download"},
    "sets.none": {"en": "There is no set of your own yet."},
    "sets.shown": {"en": "The first {shown} of {count} are shown; the file has all."},
    "evaluation.lead": {
        "en": "A set of questions through all arms, counted: with intervals, paired tests and costs.",
    },
    "evaluation.slices": {"en": "Which of them"},
    "evaluation.how_many": {"en": "How many questions"},
    "evaluation.how_many.help": {"en": "Fewer than all are taken evenly from the whole set."},
    "evaluation.costs": {"en": "Measure the cost of an answer"},
    "evaluation.costs.help": {"en": "A few questions are asked once more, each alone."},
    "evaluation.judge": {"en": "Let a model judge"},
    "evaluation.judge.model": {"en": "Model"},
    "evaluation.judge.url": {"en": "OpenAI-compatible address"},
    "evaluation.judge.key": {"en": "Key"},
    "evaluation.judge.help": {
        "en": (
            "Each two answers are shown to it in both orders; a verdict that turns with the order is a tie."
        ),
    },
    "evaluation.run": {"en": "Run"},
    "evaluation.answers": {"en": "{count} answers"},
    "evaluation.progress": {"en": "{done} of {total} answers, {arm}"},
    "evaluation.progress.left": {"en": "{done} of {total} answers, {arm} · {left} left"},
    "evaluation.measuring": {"en": "Timing single answers"},
    "evaluation.judging": {"en": "{done} of {total} verdicts"},
    "evaluation.stop": {"en": "Stop; what is answered stays"},
    "evaluation.earlier": {"en": "Evaluations"},
    "evaluation.open": {"en": "Open"},
    "evaluation.go_on": {"en": "Go on"},
    "evaluation.line": {"en": "{questions} questions · {arms}"},
    "evaluation.interrupted": {"en": "interrupted after {done} of {total} answers"},
    "evaluation.stopped": {
        "en": "Stopped: {done} of {total} answers of “{name}” are there, and are not asked again."
    },
    "evaluation.all": {"en": "All"},
    "evaluation.back": {"en": "All evaluations"},
    "evaluation.pairs": {"en": "Two by two"},
    "evaluation.pairs.help": {
        "en": "p by cluster is the one to believe: questions about one document are not independent.",
    },
    "evaluation.worthwhile": {"en": "A difference that matters, in points"},
    "evaluation.worthwhile.help": {
        "en": "How many questions each pair would need to show it, with 80 % power, is in the last column.",
    },
    "evaluation.costs.title": {"en": "What one answer costs"},
    "evaluation.answers.title": {"en": "Every answer"},
    "evaluation.filter": {"en": "Show"},
    "evaluation.filter.all": {"en": "All"},
    "evaluation.filter.differ": {"en": "Where the arms differ"},
    "evaluation.filter.wrong": {"en": "Where all are wrong"},
    "evaluation.page": {"en": "Page"},
    "evaluation.report": {"en": "Report (HTML)"},
    "evaluation.csv": {"en": "Answers (CSV)"},
    "evaluation.json": {"en": "All data (JSON)"},
    "evaluation.delete": {"en": "Delete the evaluation"},
    "evaluation.slice": {"en": "Kind of question"},
    "evaluation.judged": {
        "en": (
            "{model} gave {verdicts} verdicts; {flipped} turned with the order and {unclear} were none: ties."
        ),
    },
    "figures.arm": {"en": "Arm"},
    "figures.right": {"en": "Right"},
    "figures.f1": {"en": "F1"},
    "figures.exact": {"en": "Exact"},
    "figures.supported": {"en": "Supported"},
    "figures.refused": {"en": "Refused, unknown"},
    "figures.refused_known": {"en": "Refused, known"},
    "figures.tokens": {"en": "Tokens read"},
    "figures.first": {"en": "First word"},
    "figures.seconds": {"en": "Seconds"},
    "figures.written": {"en": "Written"},
    "figures.difference": {"en": "Difference"},
    "figures.interval": {"en": "95 % interval"},
    "figures.only": {"en": "Only one right"},
    "figures.p": {"en": "p by question"},
    "figures.p_clustered": {"en": "p by cluster"},
    "figures.needed": {"en": "Questions needed"},
    "settings.lead": {"en": "Everything runs on this machine and is kept in one folder."},
    "settings.model": {"en": "Model"},
    "settings.looking": {"en": "Looking for models…"},
    "settings.column.model": {"en": "Model"},
    "settings.column.parameters": {"en": "Parameters"},
    "settings.column.window": {"en": "Window"},
    "settings.column.chat": {"en": "To chat"},
    "settings.column.tune": {"en": "To fine-tune"},
    "settings.column.where": {"en": "Where"},
    "settings.in_use": {"en": "in use"},
    "settings.at_hand": {"en": "at hand"},
    "settings.hub": {"en": "on a hub"},
    "settings.model.use": {"en": "Use this model"},
    "settings.model.help": {
        "en": "A model at hand, a local folder, or a Hugging Face id where a hub can be reached.",
    },
    "settings.model.open": {"en": "Open"},
    "settings.device": {"en": "Device"},
    "settings.device.auto": {"en": "Best available"},
    "settings.answers": {"en": "Answers and language"},
    "settings.language": {"en": "Language"},
    "settings.language.auto": {"en": "As the browser asks"},
    "settings.passages": {"en": "Passages for an answer"},
    "settings.passages.help": {"en": "More passages find more and cost more of the window."},
    "settings.longest": {"en": "Longest answer, in tokens"},
    "settings.temperature": {"en": "Temperature"},
    "settings.temperature.help": {"en": "0 always takes the most likely word; higher values vary."},
    "settings.fixed": {"en": "{name} is set by {variable} in the environment and cannot be changed here."},
    "settings.saved": {"en": "Saved."},
    "settings.retrieval": {"en": "Finding passages"},
    "settings.embedding": {"en": "Embedding model"},
    "settings.embedding.help": {
        "en": "Turns passages into vectors. A name on a hub is downloaded once; a folder works as well. "
        "After a change every knowledge base has to be rebuilt, which its page offers."
    },
    "settings.reranker": {"en": "Reranker"},
    "settings.reranker.none": {"en": "None"},
    "settings.reranker.help": {
        "en": "A cross-encoder that reads the question with each of the best passages and puts them in order. "
        "Slower; a name on a hub, or a folder."
    },
    "settings.place": {"en": "Where everything is"},
    "settings.home": {"en": "Conversations, documents, checkpoints and settings are kept in"},
    "settings.leaves.title": {"en": "What leaves this machine"},
    "settings.leaves": {
        "en": (
            "Nothing. There are no usage statistics, no web fonts and no calls home. A hub is asked "
            "only when you choose a model from it."
        ),
    },
    "settings.leaves.endpoint": {
        "en": "Questions and passages go to {url}, because that endpoint is set as the model. Nothing else.",
    },
    "page.visible": {"en": "Memory"},
    "visible.lead": {
        "en": (
            "Memory that can be seen, on your own model: what the prompt holds until it falls out, and "
            "what the weights hold for good."
        ),
    },
    "visible.view": {"en": "What to look at"},
    "visible.view.window": {"en": "The window"},
    "visible.view.next": {"en": "The next word"},
    "visible.view.inside": {"en": "Inside a checkpoint"},
    "visible.none": {"en": "No checkpoint to look at yet"},
    "visible.none.text": {
        "en": (
            "Fine-tune on a chat, and this shows what the weights keep. The sample conversation teaches "
            "twenty-two facts in a few minutes."
        ),
    },
    "visible.example_question": {"en": "What is the capital of France?"},
    "visible.asking": {"en": "Asking the model…"},
    "visible.knows": {"en": "knows it"},
    "visible.knows_not": {"en": "does not know it"},
    "visible.temperature": {"en": "Temperature"},
    "visible.temperature.help": {
        "en": "Low: nearly always the likeliest word. High: unlikely words get a chance. 0: no chance.",
    },
    "visible.top_p": {"en": "Top-p"},
    "visible.top_p.help": {
        "en": "Only the likeliest words that together reach this share may be drawn; others are out.",
    },
    "visible.layer": {"en": "Layer"},
    "visible.module": {"en": "Matrix"},
    "visible.head": {"en": "Head"},
    "visible.count.plain": {"en": "{count} numbers"},
    "visible.count.million": {"en": "{count} million numbers"},
    "visible.count.billion": {"en": "{count} billion numbers"},
    "visible.window.lead": {
        "en": (
            "A model reads its whole conversation anew for every answer, and only as much as fits its "
            "window. Here the window is cut so small that a few turns fill it: tell it a fact, chat on, "
            "and watch the fact fall out."
        ),
    },
    "visible.window.busy": {"en": "A turn is still being answered. Stop it, or wait until it ends."},
    "visible.window.size": {"en": "Window"},
    "visible.window.size.help": {"en": "The model itself has a far larger one; here it is cut down."},
    "visible.window.tokens": {"en": "{count} tokens"},
    "visible.window.fact": {"en": "The fact to tell"},
    "visible.window.fact.help": {
        "en": "A fact that the chosen checkpoint was taught can be asked of its weights as well.",
    },
    "visible.window.guide": {"en": "Tell it, chat on, ask again"},
    "visible.window.clear": {"en": "Begin anew"},
    "visible.window.say": {"en": "Or say something yourself"},
    "visible.window.send": {"en": "Say"},
    "visible.window.empty": {
        "en": "Nothing is in the window yet. Press “Tell it, chat on, ask again”, or say something yourself.",
    },
    "visible.strip.frame": {"en": "System prompt and template: {tokens} tokens"},
    "visible.strip.gone": {"en": "Fallen out"},
    "visible.strip.used": {"en": "{used} of {window} tokens in the window, {free} free"},
    "visible.strip.turn": {"en": "Turn {number}, {tokens} tokens: {text}"},
    "visible.strip.fallen": {"en": "fallen out"},
    "visible.strip.aside": {"en": "set aside for the checkpoint"},
    "visible.verdict.inside": {"en": "While it was in the window"},
    "visible.verdict.fallen": {"en": "After it fell out"},
    "visible.verdict.weights": {"en": "From the weights, in the same window"},
    "visible.verdict.unread": {
        "en": (
            "The model did not take the fact from its window even while it stood there: small models often "
            "read badly. Choose another fact, or a smaller window."
        ),
    },
    "visible.verdict.taught": {
        "en": (
            "Temporary memory ends where the window ends. The checkpoint was asked the same question with "
            "the same turns before it: what it knows stands in its weights."
        ),
    },
    "visible.verdict.untaught": {
        "en": (
            "Temporary memory ends where the window ends. Choose a checkpoint and a fact that it was "
            "taught to ask its weights too."
        ),
    },
    "visible.next": {"en": "What comes next"},
    "visible.next.lead": {
        "en": (
            "A language model does one thing: it gives every word a probability of coming next. All else is "
            "choosing one, appending it and asking again."
        ),
    },
    "visible.next.kind": {"en": "What is continued"},
    "visible.next.kind.text": {"en": "Any text"},
    "visible.next.kind.answer": {"en": "An answer"},
    "visible.next.begun.text": {"en": "The beginning"},
    "visible.next.begun.answer": {"en": "The answer so far"},
    "visible.next.example": {"en": "The cat is on the"},
    "visible.next.question": {"en": "Question"},
    "visible.next.end": {"en": "(end of the answer)"},
    "visible.next.rest": {"en": "All other words together: {share}"},
    "visible.next.scale": {"en": "A bar across the whole width would be {share}. Click a word to append it."},
    "visible.next.draw": {"en": "Draw"},
    "visible.next.draw.help": {"en": "Append one of these words, as likely as its bar is long."},
    "visible.next.alone": {"en": "With a checkpoint, its words stand beside those of the base."},
    "visible.answer": {"en": "An answer, word by word"},
    "visible.answer.lead": {
        "en": "How sure the model was of each word that it said, and how far the checkpoint changed it.",
    },
    "visible.answer.ask": {"en": "Let it answer"},
    "visible.answer.text": {"en": "Answer"},
    "visible.answer.text.help": {"en": "Any answer may be written here, whoever would give it."},
    "visible.answer.empty": {"en": "Let the model answer, or write an answer yourself."},
    "visible.answer.alone": {"en": "With a checkpoint, a second line shows what it changed."},
    "visible.answer.by_share": {"en": "How sure it was"},
    "visible.answer.by_share.legend": {"en": "the darker, the less likely the word was"},
    "visible.answer.by_gain": {"en": "What the checkpoint changed"},
    "visible.answer.by_gain.legend": {"en": "blue: likelier than for the base; red: less likely"},
    "visible.answer.token": {
        "en": (
            "“{text}”: {share}; base: {before}, and its first choice here was “{rival}”. "
            "Divergence {divergence} nats."
        ),
    },
    "visible.answer.figures": {"en": "The figures"},
    "visible.answer.column.token": {"en": "Token"},
    "visible.answer.column.before": {"en": "Base"},
    "visible.answer.column.share": {"en": "Chosen memory"},
    "visible.answer.column.divergence": {"en": "Divergence (nats)"},
    "visible.answer.column.rival": {"en": "The base's first choice"},
    "visible.inside.lead": {
        "en": "A checkpoint is a small set of numbers beside the model: where they are, and what they do.",
    },
    "visible.inside.question": {"en": "Before this question is answered"},
    "visible.inside.without": {"en": "What this method has no picture of"},
    "visible.scale": {"en": "How large it is"},
    "visible.scale.said": {
        "en": "Areas are to scale: {method} holds {share} % as many numbers as the base model.",
    },
    "visible.scale.positions": {"en": "It takes {count} positions of the window in every answer."},
    "visible.changes": {"en": "What was moved"},
    "visible.changes.said": {
        "en": (
            "{count} matrices were moved, by {mean} % of their own size on average; most of all {place}, "
            "by {most} %."
        ),
    },
    "visible.changes.place": {"en": "{module} in layer {layer}"},
    "visible.changes.size": {"en": "Moved by"},
    "visible.changes.outside": {"en": "outside"},
    "visible.words": {"en": "Learned words"},
    "visible.words.said": {
        "en": (
            "Each position in front of the prompt is a word that no dictionary has. These are the real words "
            "that lie nearest to it."
        ),
    },
    "visible.attention": {"en": "Attention to the prefix"},
    "visible.attention.said": {
        "en": (
            "{share} % of all attention goes to the prefix; {first} % rest on its first position, as on the "
            "first position of any prompt."
        ),
    },
    "visible.attention.rest": {"en": "what was learned"},
    "visible.attention.first": {"en": "the first position, where attention rests"},
    "visible.heads": {"en": "Each head alone"},
    "visible.none.changes.prefix": {
        "en": "{method} moves no weight: it puts learned keys and values in front of every layer.",
    },
    "visible.none.changes.prompt": {
        "en": "{method} moves no weight: it puts learned words in front of the prompt.",
    },
    "visible.none.changes.low-rank": {"en": "This checkpoint moved nothing."},
    "visible.none.changes.scaling": {"en": "This checkpoint moved nothing."},
    "visible.none.changes.full": {"en": "This checkpoint moved nothing."},
    "visible.none.words.low-rank": {
        "en": "{method} learns no words: it moves weights. Prompt Tuning and P-Tuning have this picture.",
    },
    "visible.none.words.scaling": {
        "en": "{method} learns no words: it scales channels. Prompt Tuning and P-Tuning have this picture.",
    },
    "visible.none.words.full": {
        "en": "{method} learns no words: it moves weights. Prompt Tuning and P-Tuning have this picture.",
    },
    "visible.none.words.prefix": {
        "en": (
            "{method} learns keys and values of every layer, not words of the input, so none lies near them. "
            "Prompt Tuning and P-Tuning have this picture."
        ),
    },
    "visible.none.words.prompt": {
        "en": "Which words lie near was not kept with this checkpoint; tune again to see it.",
    },
    "visible.none.attention.low-rank": {"en": "{method} has no prefix, so nothing can look at one."},
    "visible.none.attention.scaling": {"en": "{method} has no prefix, so nothing can look at one."},
    "visible.none.attention.full": {"en": "{method} has no prefix, so nothing can look at one."},
}

_CHINESE = json.loads(files("assistant").joinpath("texts_zh.json").read_text("utf-8"))
for _key, _text in _CHINESE["texts"].items():
    TEXTS[_key]["zh"] = _text
# Sentences that are written elsewhere, in English: of methods, presets and reasons.
SENTENCES: dict[str, dict[str, str]] = {"zh": _CHINESE["sentences"]}

_language: ContextVar[str] = ContextVar("language", default=FALLBACK)


def use_language(language: str) -> None:
    """Choose the column for this thread of work; an unknown one shows English."""
    _language.set(language if language in LANGUAGE_NAMES else FALLBACK)


def t(key: str, **values: object) -> str:
    """The text of `key` in the chosen language, filled in. Raises KeyError for an unknown key."""
    if values.get("count") == 1 and f"{key}.one" in TEXTS:
        key = f"{key}.one"
    texts = TEXTS[key]
    text = texts.get(_language.get()) or texts[FALLBACK]
    return text.format(**values) if values else text


def translated(sentence: str) -> str:
    """A sentence that is written elsewhere, in the chosen language where it is known.

    Of "reason: what it is about" and "reason; reason" each known part is translated.
    """
    known = SENTENCES.get(_language.get())
    if not known or not sentence:
        return sentence
    if sentence in known:
        return known[sentence]
    if "; " in sentence:
        return "；".join(translated(part) for part in sentence.split("; "))
    head, mark, rest = sentence.partition(": ")
    return f"{known[head]}：{rest}" if mark and head in known else sentence
