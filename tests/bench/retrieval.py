#!/usr/bin/env python3
"""Measures search and refusals on examples/questions.yaml, on a local stack of its own.

    retrieval.py BUILD [--distractors 3000]

The handbook is asked alone, then among descriptions of Debian packages, which apt fetches (16 MB) into BUILD.
Prints the tables of tests/bench/README.md. The stack is taken down at the end, also after a failure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HANDBOOK = ROOT / "examples" / "handbook"
FLOORS = [0.30, 0.34, 0.36, 0.38, 0.40, 0.42, 0.44, 0.46, 0.48, 0.50, 0.55, 0.60]
PASSAGES_READ = 6  # retrieval.top_k's default
WORDS_ENOUGH, WORDS_WORTH = 0.6, 0.15  # as in pkg/rag/answer.c


class Stack:
    """`ragstack up --local` in a folder of its own."""

    def __init__(self, build: pathlib.Path) -> None:
        self.build = build
        self.home = tempfile.TemporaryDirectory(prefix="ragstack-bench-")
        self.folder = pathlib.Path(self.home.name)
        self.folder.chmod(0o755)  # PostgreSQL's user has to get through
        (self.folder / "ragstack.yaml").write_text("stack: bench\nregion: us-east-1\napi: {throttle: {rate: 1000, burst: 1000}}\n")

    def run(self, *arguments: str) -> str:
        result = subprocess.run([str(self.build / "ragstack"), *arguments], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode:
            raise RuntimeError(f"ragstack {' '.join(arguments)}: status {result.returncode}\n{result.stderr}")
        return result.stdout

    def __enter__(self) -> Stack:
        try:
            self.run("up", "--local", "--yes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_why: Any) -> None:
        subprocess.run([str(self.build / "ragstack"), "down", "--local", "--yes", "--allow-data-loss=database"],
                       cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.home.cleanup()

    def encoder(self) -> pathlib.Path:
        caches = [pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ragstack",
                  pathlib.Path("/var/cache/ragstack")]
        found = [path for cache in caches for path in cache.glob("use-lite-*.bin")]
        if not found:
            sys.exit("retrieval.py: the local encoder is not there: search is by words alone")
        return found[0]

    def search(self, questions: list[str], top_k: int) -> list[list[dict[str, Any]]]:
        result = subprocess.run(
            [str(self.build / "retrieval"), str(self.folder / ".ragstack/local/bench/postgres.url"), str(self.encoder()),
             str(top_k)], input="".join(f"{question}\n" for question in questions), check=True, text=True,
            stdout=subprocess.PIPE)
        return [json.loads(line) for line in result.stdout.splitlines()]


# -- distractors ----------------------------------------------------------------------------------


def descriptions(folder: pathlib.Path) -> list[tuple[str, str, str]]:
    """Packages with a description of some length: name, short and long."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    if not list(lists.glob("*Translation-en*")):
        subprocess.run(["apt-get", "-q", "-o", "Acquire::Languages=en", "-o", f"Dir::State::lists={lists}",
                        "-o", "APT::Sandbox::User=root", "update"], check=True, stdout=subprocess.DEVNULL)
    found = {}
    for path in sorted(lists.glob("*_main_i18n_Translation-en*")):
        text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", str(path)], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        for entry in text.split("\n\n"):
            name = re.search(r"^Package: (.*)$", entry, re.M)
            body = re.search(r"^Description-en: (.*)\n((?: .*\n?)+)", entry, re.M)
            if name and body and 200 <= len(body[2]) <= 1500:
                found[name[1]] = (name[1], body[1], re.sub(r"^ \.?", "", body[2], flags=re.M))
    return list(found.values())


def write_distractors(build: pathlib.Path, count: int) -> pathlib.Path:
    """The same ones each time: the first by the hash of their names."""
    folder = build / "distractors"
    chosen = sorted(descriptions(folder), key=lambda row: hashlib.sha256(row[0].encode()).digest())[:count]
    texts = folder / f"{count}"
    texts.mkdir(exist_ok=True)
    for name, short, long in chosen:
        (texts / f"{name}.md").write_text(f"# {name}: {short}\n\n{long}")
    return texts


# -- measures -------------------------------------------------------------------------------------


def rank_of(hits: list[dict[str, Any]], document: str) -> int:
    """Of the document among documents, from 1; 0 when it was not found."""
    order = list(dict.fromkeys(hit["document"] for hit in hits))
    return order.index(document) + 1 if document in order else 0


def suits(hits: list[dict[str, Any]], floor: float) -> bool:
    return any(hit["similarity"] >= floor or (hit["lexical"] >= WORDS_ENOUGH and hit["similarity"] >= floor - WORDS_WORTH)
               for hit in hits)


def share(rows: list[bool]) -> str:
    return f"{sum(rows) / len(rows):.2f}" if rows else "-"


def print_ranks(name: str, answered: list[dict[str, Any]], hits: list[list[dict[str, Any]]]) -> None:
    for kind in ("keyword", "paraphrase"):
        ranks = [rank_of(found, row["document"]) for row, found in zip(answered, hits) if row["kind"] == kind]
        print(f"| {name} | {kind} | {len(ranks)} | " +
              " | ".join(share([0 < rank <= most for rank in ranks]) for most in (1, 5, 10)) + " |")


def print_floors(answered: list[dict[str, Any]], good: list[list[Any]], bad: list[list[Any]], unanswered: list[Any]) -> None:
    near = [found for row, found in zip(unanswered, bad) if "near" in row]
    far = [found for row, found in zip(unanswered, bad) if "near" not in row]
    for floor in FLOORS:
        lost = [not suits(found, floor) for found in good]
        refused = [not suits(found, floor) for found in bad]
        precision = sum(refused) / (sum(refused) + sum(lost)) if sum(refused) + sum(lost) else 1
        kinds = [[not suits(found, floor) for row, found in zip(answered, good) if row["kind"] == kind]
                 for kind in ("keyword", "paraphrase")]
        print(f"| {floor:.2f} | {precision:.2f} | {share(refused)} | {share([not suits(f, floor) for f in near])} | "
              f"{share([not suits(f, floor) for f in far])} | {share(kinds[0])} | {share(kinds[1])} |")


def measure(stack: Stack, name: str, questions: dict[str, Any]) -> dict[str, Any]:
    answered, unanswered = questions["answered"], questions["unanswered"]
    ask = [row["question"] for row in answered]
    started = time.monotonic()
    deep = stack.search(ask, 20)
    search_ms = (time.monotonic() - started) * 1000 / len(ask)
    return {"name": name, "deep": deep, "search_ms": search_ms, "good": stack.search(ask, PASSAGES_READ),
            "bad": stack.search([row["question"] for row in unanswered], PASSAGES_READ)}


def ask_all(stack: Stack, questions: dict[str, Any]) -> None:
    """Through the API, with the floor that is built in: what a user sees."""
    outcomes: dict[str, list[bool]] = {"right source": [], "refused, though answered": [], "refused rightly": []}
    for row in questions["answered"]:
        reply = json.loads(stack.run("ask", "--local", "--json", row["question"]))
        outcomes["refused, though answered"].append(reply["no_answer"])
        outcomes["right source"].append(any(one["document"] == row["document"] for one in reply["citations"]))
    for row in questions["unanswered"]:
        reply = json.loads(stack.run("ask", "--local", "--json", row["question"]))
        outcomes["refused rightly"].append(reply["no_answer"])
    print("\nThrough the API, with the floor that is built in: " +
          ", ".join(f"{name} {share(rows)}" for name, rows in outcomes.items()) + ".")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("retrieval.py: ended"))  # so that the stack is taken down
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--distractors", type=int, default=3000)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    questions = yaml.safe_load((ROOT / "examples" / "questions.yaml").read_text())
    texts = write_distractors(build, arguments.distractors)
    with Stack(build) as stack:
        stack.run("ingest", "--local", str(HANDBOOK))
        alone = measure(stack, "the handbook", questions)
        ask_all(stack, questions)
        summary = json.loads(stack.run("ingest", "--local", "--json", "--prefix", "debian/", str(texts)))["summary"]
        among = measure(stack, f"and {summary['documents']:,} distractors", questions)
        ask_all(stack, questions)
    print(f"\n{summary['documents']} distractors, {summary['passages']} passages, in {summary['took_ms'] / 1000:.1f} s; "
          f"search {alone['search_ms']:.1f} ms alone, {among['search_ms']:.1f} ms among them (embedding included)\n")
    print("| pool | questions | n | R@1 | R@5 | R@10 |\n| --- | --- | --- | --- | --- | --- |")
    for result in (alone, among):
        print_ranks(result["name"], questions["answered"], result["deep"])
    for result in (alone, among):
        print(f"\n{result['name']}:\n\n| floor | refusals: precision | recall | near misses refused | far ones refused | "
              "keyword lost | paraphrase lost |\n| --- | --- | --- | --- | --- | --- | --- |")
        print_floors(questions["answered"], result["good"], result["bad"], questions["unanswered"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
