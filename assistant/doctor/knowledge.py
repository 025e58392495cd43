"""The knowledge bases: whether the catalogue is whole, and the vectors agree with it; both can be made again."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.doctor.findings import Aside, Finding, Mend
from assistant.doctor.salvage import check_file, is_json_list, replace_database, salvage
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import IndexBusyError, KnowledgeError
from knowledge.index.passage_store import PassageStore
from knowledge.index.passage_tables import FORMAT
from knowledge.index.shared_chroma import SharedChroma
from knowledge.ingest.fetch import is_url

PART, VECTORS = "knowledge base", "vectors"
PROBE_SECONDS = 300.0
# Opens every collection and searches it once, as a process would.
_PROBE = """
import sys
import chromadb
from chromadb.config import Settings
client = chromadb.PersistentClient(sys.argv[1], settings=Settings(anonymized_telemetry=False))
for collection in client.list_collections():
    some = collection.get(limit=1, include=["embeddings"])["embeddings"]
    if len(some):
        collection.query(query_embeddings=some, n_results=min(10, collection.count()))
"""
# Opens a knowledge base by its name, which computes the vectors that are missing.
OpenBase = Callable[[str], KnowledgeBase]
_BROKEN_DOCUMENTS = (
    "SELECT id FROM documents WHERE id IN (SELECT document_id FROM places LEFT JOIN passages ON passages.id ="
    " passage_id WHERE passages.id IS NULL) OR (SELECT count(*) != max(position) + 1 FROM places"
    " WHERE document_id = documents.id)"
)


def examine_catalogues(folder: Path, aside: Aside, open_base: OpenBase) -> Iterator[Finding]:
    """The state of each catalogue under `knowledge/`."""
    for path in sorted(folder.glob("*.sqlite3")):
        problem = _problem(path)
        if problem:
            message = f"the catalogue {path} {problem}; it can be rebuilt from its documents"
            yield Finding(PART, path.stem, "damaged", message, _mend_catalogue(path, aside, open_base))
        else:
            yield Finding(PART, path.stem, "ok")


def examine_chroma(chroma: Path, aside: Aside) -> Iterator[Finding]:
    """Whether Chroma can open and read its folder: tried in a process of its own, which damaged files may end."""
    if not chroma.exists():
        return
    database = chroma / "chroma.sqlite3"
    problems = check_file(database) if database.exists() else []
    try:
        with FileLock(chroma.with_name("chroma.lock")).acquire(timeout=0):
            problems = problems or _probe(chroma)
    except Timeout:
        if not problems:
            yield Finding(VECTORS, chroma.name, "note", "not tried out: a process has the folder open")
            return
    if problems:
        message = f"{chroma} is damaged ({problems[0]}); the vectors can be computed again"
        yield Finding(VECTORS, chroma.name, "damaged", message, lambda: f"put aside: {aside.move(chroma)}")
    else:
        yield Finding(VECTORS, chroma.name, "ok")


def examine_vectors(folder: Path, url: str | None, open_base: OpenBase) -> Iterator[Finding]:
    """Whether Chroma, which opens, holds a vector for each passage of each whole catalogue."""
    whole = [path for path in sorted(folder.glob("*.sqlite3")) if not _problem(path)]
    if not whole or (not url and not (folder / "chroma").exists()):
        yield from (_missing(path.stem, open_base) for path in whole if _count(path))
        return
    try:
        shared = SharedChroma.open(folder / "chroma", url)
        try:
            yield from [_compare(path, shared, open_base) for path in whole]
        finally:
            shared.close()
    except IndexBusyError as error:
        yield Finding(VECTORS, folder.name, "note", f"not compared: {error}")
    except KnowledgeError as error:
        yield Finding(VECTORS, folder.name, "damaged", str(error))


def _probe(chroma: Path) -> list[str]:
    command = [sys.executable, "-c", _PROBE, str(chroma)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return [f"Chroma does not open it within {PROBE_SECONDS:g} seconds"]
    if done.returncode == 0:
        return []
    return [f"Chroma cannot read it: {(done.stderr.strip() or 'it ended').splitlines()[-1]}"]


def _compare(path: Path, shared: SharedChroma, open_base: OpenBase) -> Finding:
    with closing(PassageStore(path)) as store:
        name = store.fact("collection") or f"kb-{store.fact('identity')}"
        held, wanted = shared.vectors(name).ids(), set(store.passage_ids())
    if held == wanted:
        return Finding(VECTORS, path.stem, "ok")
    message = f"{len(wanted - held)} vectors are missing and {len(held - wanted)} left over"
    return Finding(VECTORS, path.stem, "damaged", message, lambda: _open(open_base, [path.stem]))


def _missing(name: str, open_base: OpenBase) -> Finding:
    message = "there are none yet, as after a restore; they are computed when it is next opened"
    return Finding(VECTORS, name, "note", message, lambda: _open(open_base, [name]))


def _open(open_base: OpenBase, names: list[str]) -> str:
    counts = [open_base(name).count for name in names]
    return f"the vectors of {sum(counts)} passages in {', '.join(names)} were made to agree"


def _mend_catalogue(path: Path, aside: Aside, open_base: OpenBase) -> Mend:
    def mend() -> str:
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        PassageStore(new).close()
        sources = _sources(path)
        if _version(path) in (0, FORMAT):
            with suppress(sqlite3.Error):  # else the documents are read again, as far as they are known
                salvage(path, new)
        kept_documents = _drop_broken(new)
        kept = replace_database(path, new, aside)
        reports = open_base(path.stem).add([one for one in sources if _is_there(one)], force=True)
        failed = sorted({one for one in sources if not _is_there(one)} - kept_documents)
        failed += [report.path for report in reports if report.status == "failed"]
        if not sources and not kept_documents:
            return f"not even the list of its documents can be read: index them again; the damaged catalogue is {kept}"
        lost = f"; these could not be read again: {', '.join(failed)}" if failed else ""
        read = sum(report.status != "failed" for report in reports)
        return f"{read} documents were read again{lost}; the damaged catalogue is {kept}"

    return mend


def _version(path: Path) -> int:
    try:
        with closing(sqlite3.connect(path)) as database:
            return int(database.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return 0


def _sources(path: Path) -> list[str]:
    """The documents' paths and addresses, as far as they can be read, of whichever version."""
    found: list[str] = []
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as database:
        database.text_factory = lambda data: data.decode("utf-8", "replace")
        # From the back too, where a page between is damaged, and by the index, which has pages of its own.
        for key in ("rowid", "rowid DESC", "source", "source DESC"):
            with suppress(sqlite3.Error):
                for (source,) in database.execute(f"SELECT source FROM documents ORDER BY {key}"):
                    found.append(str(source))
    return list(dict.fromkeys(found))


def _drop_broken(catalogue: Path) -> set[str]:
    """Remove documents of which passages are lost, and lists that are none; returns the sources that stay."""
    with closing(sqlite3.connect(catalogue)) as database, database:
        broken = [row[0] for row in database.execute(_BROKEN_DOCUMENTS)]
        database.execute("UPDATE documents SET notes = '[]' WHERE json_valid(notes) = 0")
        database.execute("UPDATE places SET headings = '[]' WHERE json_valid(headings) = 0")
        database.execute("DELETE FROM places WHERE document_id NOT IN (SELECT id FROM documents)")
        database.execute("DELETE FROM passages WHERE id NOT IN (SELECT passage_id FROM places)")
    with closing(PassageStore(catalogue)) as store:
        store.remove(broken)
        return {info.path for info in store.documents()}


def _problem(path: Path) -> str:
    problems = check_file(path)
    if problems:
        return f"is damaged ({problems[0]})"
    if _version(path) != FORMAT:
        return "was made by another version of Imprint"
    with closing(sqlite3.connect(path)) as database:
        if database.execute(_BROKEN_DOCUMENTS).fetchone():
            return "lacks passages of some documents"
        texts = database.execute("SELECT notes FROM documents UNION ALL SELECT headings FROM places")
        return "" if all(is_json_list(str(row[0])) for row in texts) else "holds lists that are none"


def _count(path: Path) -> int:
    with closing(PassageStore(path)) as store:
        return store.count


def _is_there(source: str) -> bool:
    return is_url(source) or Path(source).is_file()
