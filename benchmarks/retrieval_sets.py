"""The question sets that retrieval is measured on: fetched by manifest (repository, commit, path, hash), kept in a
folder of the machine, and read into paragraphs and questions. Nothing is measured here.
"""

import ast
import csv
import hashlib
import io
import json
import re
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("~/.cache/imprint-benchmarks").expanduser()


@dataclass(frozen=True)
class QuestionSet:
    """Paragraphs and the questions that ask for them."""

    name: str
    paragraphs: list[tuple[str, str]]  # title, text
    questions: list[tuple[str, set[int]]]  # and the paragraphs that answer it


@dataclass(frozen=True)
class RemoteFile:
    """One file of a public repository at one commit."""

    repository: str
    commit: str
    path: str
    sha256: str

    def fetch(self, folder: Path = FOLDER, clones: Path | None = None) -> Path:
        """Its path on this machine: from the folder, a clone under `clones` (OWNER+NAME), or the network."""
        kept = folder / self.sha256[:16] / Path(self.path).name
        if not kept.is_file():
            data = self._read(clones)
            found = hashlib.sha256(data).hexdigest()
            if found != self.sha256:
                raise ValueError(f"{self.repository}/{self.path} has the sha256 {found}, not {self.sha256}")
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(data)
        return kept

    def _read(self, clones: Path | None) -> bytes:
        for place in (clones / self.repository.replace("/", "+") / "repo",) if clones else ():
            shown = subprocess.run(
                ["git", "-C", str(place), "show", f"{self.commit}:{self.path}"],
                capture_output=True,
                check=False,
            )
            if shown.returncode == 0:
                return shown.stdout
        address = f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"
        with urllib.request.urlopen(address, timeout=120) as answer:
            data: bytes = answer.read()
        return data


@dataclass(frozen=True)
class Collection:
    """A question set by name, and how its files are read."""

    name: str
    language: str
    files: tuple[RemoteFile, ...]
    read: Callable[..., QuestionSet]

    def load(self, folder: Path = FOLDER, clones: Path | None = None) -> QuestionSet:
        """The whole set. Raises OSError where it cannot be fetched, ValueError where it is another file."""
        found = self.read(*[file.fetch(folder, clones) for file in self.files])
        return QuestionSet(self.name, found.paragraphs, found.questions)


def bounded(questions: QuestionSet, paragraphs: int, asked: int) -> QuestionSet:
    """An even sample of the questions, and so many paragraphs, those that answer them first."""
    step = max(1, len(questions.questions) // asked)
    chosen: list[tuple[str, set[int]]] = []
    kept: dict[int, int] = {}
    for text, right in questions.questions[::step]:
        if len(kept.keys() | right) <= paragraphs:
            chosen.append((text, right))
            kept |= {one: len(kept) + at for at, one in enumerate(sorted(right - kept.keys()))}
    others = [one for one in range(len(questions.paragraphs)) if one not in kept]
    missing = max(0, paragraphs - len(kept))
    for one in others[:: max(1, len(others) // max(1, missing))][:missing]:
        kept[one] = len(kept)
    return QuestionSet(
        questions.name,
        [questions.paragraphs[one] for one in kept],
        [(text, {kept[one] for one in right}) for text, right in chosen],
    )


def read_squad(path: Path, held_out: bool = False, untitled: bool = False) -> QuestionSet:
    """SQuAD's JSON, in whatever language; `held_out` asks only about articles no weight was fitted on."""
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs: list[tuple[str, str]] = []
    questions: list[tuple[str, set[int]]] = []
    for number, article in enumerate(data):
        for paragraph in article["paragraphs"]:
            if not held_out or number % 2:
                questions.extend((entry["question"], {len(paragraphs)}) for entry in paragraph["qas"])
            title = "" if untitled else article.get("title", "").replace("_", " ")
            paragraphs.append((title, paragraph["context"]))
    name = f"{path.stem}{', untitled' * untitled}{', questions on every second article' * held_out}"
    return QuestionSet(name, paragraphs, questions)


def read_held_out(path: Path) -> QuestionSet:
    """SQuAD's JSON, with questions on every second article."""
    return read_squad(path, held_out=True)


def read_answerable(path: Path, articles: Path) -> QuestionSet:
    """SQuAD 2.0's JSON: the questions that have an answer, on articles that no weight was fitted on.

    `articles` is XQuAD, which holds one paragraph or more of each article of SQuAD 1.1's development set, in its order.
    """
    listed = [article["title"] for article in json.loads(articles.read_text(encoding="utf-8"))["data"]]
    held_out = {title for number, title in enumerate(listed) if number % 2}
    paragraphs: list[tuple[str, str]] = []
    questions: list[tuple[str, set[int]]] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            if article["title"] in held_out:
                asked = (one["question"] for one in paragraph["qas"] if not one.get("is_impossible"))
                questions.extend((question, {len(paragraphs)}) for question in asked)
            paragraphs.append((article["title"].replace("_", " "), paragraph["context"]))
    return QuestionSet("SQuAD", paragraphs, questions)


def read_pooled(path: Path) -> QuestionSet:
    """Queries with the documents judged for each, in one file: all documents of all queries are searched."""
    places: dict[str, int] = {}
    questions: list[tuple[str, set[int]]] = []
    for record in json.loads(path.read_text(encoding="utf-8")):
        found = [places.setdefault(text, len(places)) for text in record["docs"]]
        right = {found[int(at)] for at, grade in record["relevance_map"].items() if grade > 0}
        if right:
            questions.append((record["query"], right))
    return QuestionSet(path.stem, [("", text) for text in places], questions)


def read_across(asked: Path, searched: Path) -> QuestionSet:
    """Two translations of one set: the questions of the first, the paragraphs of the second."""
    return QuestionSet(
        asked.stem, read_squad(searched, untitled=True).paragraphs, read_squad(asked).questions
    )


def read_trec(documents: Path, queries: Path, judgements: Path) -> QuestionSet:
    """The files of the SMART collections: .I .T .A .B .W .X records, and lines of query, document (and grade)."""
    paragraphs: list[tuple[str, str]] = []
    for record in _records(documents):
        text = " ".join(record.get("W", "").split()) or "(none)"
        paragraphs.append((" ".join(record.get("T", "").split()), text))
    relevant: dict[int, set[int]] = {}
    for line in judgements.read_text(encoding="utf-8").splitlines():
        query, document, *grade = (int(part) for part in line.split()[:3])
        if judgements.name != "cranqrel" or 0 < grade[0] < 5:
            relevant.setdefault(query, set()).add(document - 1)
    asked = [" ".join(record["W"].split()) for record in _records(queries)]
    questions = [(text, relevant[at]) for at, text in enumerate(asked, 1) if relevant.get(at)]
    return QuestionSet(documents.stem, paragraphs, questions)


def _records(path: Path) -> Iterable[dict[str, str]]:
    for record in re.split(r"(?m)^\.I .*\n", path.read_text(encoding="latin-1"))[1:]:
        fields = re.split(r"(?m)^\.([TABWXNCK])[ \t]*\n", record)[1:]
        yield dict(zip(fields[::2], fields[1::2], strict=False))


def read_scifact(path: Path) -> QuestionSet:
    """SciFact (of BEIR): claims, and the abstracts that support or refute them."""
    with zipfile.ZipFile(path) as archive:
        abstracts = _rows(archive, "corpus_train.csv")
        claims = _rows(archive, "claims_validation.csv")
    places = {row["doc_id"]: at for at, row in enumerate(abstracts)}
    relevant: dict[str, set[int]] = {}
    for row in claims:
        if row["evidence_doc_id"] in places:
            relevant.setdefault(row["claim"], set()).add(places[row["evidence_doc_id"]])
    paragraphs = [(row["title"], _joined(row["abstract"])) for row in abstracts]
    return QuestionSet("SciFact", paragraphs, list(relevant.items()))


def _rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    csv.field_size_limit(1 << 24)
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8"))))


def _joined(printed: str) -> str:
    """The sentences of a printed array, which has no commas between its lines."""
    try:
        return " ".join(ast.literal_eval(re.sub(r"(?<=['\"])\n", ",\n", printed)))
    except (SyntaxError, ValueError):
        return printed.strip("[]")


_SMART = ("lailaglez/belief-network-irs", "9094e4cde738bd93ed1747dc958b5acb0e0fa684")
_XQUAD = ("deepmind/xquad", "60cac411649156efb6aab9dd4c9cde787a2c0345")


def _smart(folder: str, **hashes: str) -> tuple[RemoteFile, ...]:
    """The documents, queries and judgements of one collection, by file name with "_" for "."."""
    return tuple(
        RemoteFile(*_SMART, f"{folder}/{name.replace('_', '.')}", sha256) for name, sha256 in hashes.items()
    )


_XQUAD_FILES = {
    language: RemoteFile(*_XQUAD, f"xquad.{language}.json", sha256)
    for language, sha256 in {
        "en": "e4c57d1c9143aaa1c5d265ba5987a65f4e69528d2a98f29d6e75019b10344f29",
        "zh": "691d0b3359bc6b8faa8de931dfdfe21d50a65861ae348e32a0d1a0190b0c8835",
        "ar": "abdabd7afed5c635d99cca0f3f0d0c9d9ed0bc77451e963c2e4e0638c29e486d",
        "ru": "208d5b1aa154c52b1b5c5eda16281e455e8fd198cdb9af3f469f0d6037d973bf",
        "de": "990b5d746746ed65ed4702ea5f35f99ffa4e2f1c390c07d003642acd937916f9",
        "tr": "92179a564774b7696100d144c1e10870d0a966b6fccbdd254a65b9d2ab1971cc",
    }.items()
}
_DRCD = RemoteFile(
    "DRCKnowledgeTeam/DRCD",
    "b944790de5af02c5fbb7cd9cb1473d27d169eebf",
    "DRCD_dev.json",
    "e236df03861ba241bd7b29628cd48b3b8e339c60137e041a4358b5320ed61928",
)
_CMRC = RemoteFile(
    "ymcui/cmrc2018",
    "c0eb1b6ba219847457e6af3180da722bbeb656af",
    "squad-style-data/cmrc2018_dev.json",
    "e9ff74231f05c230c6fa88b84441ee334d97234cbb610991cd94b82db00c7f1f",
)
_SCIFACT = RemoteFile(
    "sumithra-p-v/claimverifier",
    "b42f1c3444b28884ddcfadffafbfe223646c6c37",
    "data/scifact.zip",
    "a798a7046af0f6fa04476448459ce7cafeea5bd90d4d99c53a0e27dc5e1a4673",
)
_SQUAD = RemoteFile(
    "chrischute/squad",
    "85623adeb9e6639f145081fea9cae2d8f3a26379",
    "data/dev-v2.0.json",
    "e67e5969b6dc6c1642154740806b79263b77fc048c7c11ee60d534eb48ef81e8",
)
_POOLED = {
    name: RemoteFile(
        "digital-duck/maniscope",
        "ebaba3d3b3a2220afc10bf7816b72384b05e5501",
        f"data/dataset-{name}.json",
        sha256,
    )
    for name, sha256 in {
        "arguana": "839149119a9e3ff61b971c67e0ba75d281d7ac6c190c85a46fd727288ee7b0c9",
        "fiqa": "c6a77cf27d011f54f13f79ee01e1f5d4ba7e55ad40e76fcc80463165544607db",
        "trec-covid": "5b6302555a38603cf4c05a2587c179270fecd1f2a68d751735411693b9a98520",
    }.items()
}
_CRANFIELD = _smart(
    "cran",
    cran_all_1400="fbb8935a93263ab6c9fadefb507fd7cd5e101e7fbeb31c12e6bff6dd501315e8",
    cran_qry="99578ceb88941ef89c14faf7c63c23776a376d8fba319b990f01d0c601d8b03f",
    cranqrel="a90f56082cd44db70bf2c21ebca39a1a34e37c82ccb5ddf1bcc64f18795234c7",
)
_MED = _smart(
    "med",
    MED_ALL="fdcd99cf7fc6c45707c9b5bef7daac739f06c4063ebcad9b5cccf2f939fa4236",
    MED_QRY="41fbc9d7a0ac8620d53e09b3429d2695cecc63d4bf7e15e55bbcee0785a1798c",
    MED_REL="9bbcf3b73afc8b0f54362b516f323e52ab3c4147d146dedeb18fdba01f0a4288",
)
_CISI = _smart(
    "cisi",
    CISI_ALL="df5af339fa4623ef33e315f39f3e13c050d17535c18360c727bf3c96ce60ba40",
    CISI_QRY="c93860e22b60d38447defcac38b327ec639358aeddc24b1826a3bb78a4b2bdfb",
    CISI_REL="959891725867b8fa74499528c1171872e08310cdad529f7f7e91826de9c62567",
)

# In one language: what the weights of the fusion are chosen on, one left out at a time.
COLLECTIONS = {
    one.name: one
    for one in (
        Collection("xquad-en", "en", (_XQUAD_FILES["en"],), read_squad),
        Collection("cranfield", "en", _CRANFIELD, read_trec),
        Collection("med", "en", _MED, read_trec),
        Collection("cisi", "en", _CISI, read_trec),
        Collection("scifact", "en", (_SCIFACT,), read_scifact),
        *(Collection(name, "en", (file,), read_pooled) for name, file in _POOLED.items()),
        Collection("squad", "en", (_SQUAD, _XQUAD_FILES["en"]), read_answerable),
        Collection("xquad-de", "de", (_XQUAD_FILES["de"],), read_squad),
        Collection("xquad-tr", "tr", (_XQUAD_FILES["tr"],), read_squad),
        Collection("xquad-ru", "ru", (_XQUAD_FILES["ru"],), read_squad),
        Collection("xquad-ar", "ar", (_XQUAD_FILES["ar"],), read_squad),
        Collection("xquad-zh", "zh", (_XQUAD_FILES["zh"],), read_squad),
        Collection("cmrc", "zh", (_CMRC,), read_held_out),
        Collection("drcd", "zh", (_DRCD,), read_held_out),
    )
}


def across(asked: str, searched: str) -> Collection:
    """XQuAD's questions in one language, its paragraphs in another."""
    return Collection(
        f"xquad-{asked}→{searched}", asked, (_XQUAD_FILES[asked], _XQUAD_FILES[searched]), read_across
    )


def named(names: Sequence[str]) -> list[Collection]:
    """Collections by name; "zh→en" asks across languages. Raises ValueError."""
    unknown = [name for name in names if name not in COLLECTIONS and "→" not in name]
    if unknown:
        raise ValueError(
            f"There is no question set {unknown[0]!r}: choose of {', '.join(COLLECTIONS)}, or zh→en"
        )
    return [COLLECTIONS[name] if name in COLLECTIONS else across(*name.split("→", 1)) for name in names]
