"""Rules of English and Chinese: sentences, clauses, facts, paraphrases, grounding."""
