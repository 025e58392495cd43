"""What can go wrong in the knowledge base, as one tree.

KnowledgeError
├── DocumentError              a file, upload or address that cannot be read; the others go on
│   └── PasswordNeededError    it is encrypted: ask for its password and try again
└── StoreError                 the index itself
    ├── IndexBusyError         another process holds the index; the message names it
    └── EmbeddingChangedError  the index was made with another embedding model: rebuild it
"""


class KnowledgeError(Exception):
    """Anything the knowledge base refuses, in one sentence that a person can act on."""


class DocumentError(KnowledgeError):
    """One document cannot be read; the message says which, why, and what would help."""


class PasswordNeededError(DocumentError):
    """The document is encrypted and the password is missing or wrong."""


class StoreError(KnowledgeError):
    """The index cannot be opened or used."""


class IndexBusyError(StoreError):
    """Another process has the index open."""


class EmbeddingChangedError(StoreError):
    """The index holds vectors of another embedding model."""
