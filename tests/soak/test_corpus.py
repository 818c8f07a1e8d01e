"""A large real corpus: Debian's own documentation as its packages install it, HTML of several makers and plain text."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "local"))

import stack  # noqa: E402

SHELF = pathlib.Path("/usr/share/doc")
BOOKS = {"debian-policy": "", "developers-reference": "docs", "debian-handbook": "html/en-US"}
QUESTIONS = [
    ("Which fields may a binary package control file contain?", "debian-policy/"),
    ("What must the maintainer scripts do about diversions?", "debian-policy/"),
    ("What is a non-maintainer upload?", "developers-reference/"),
    ("How does a developer retire from the project?", "developers-reference/"),
    ("How is a RAID array with LVM set up?", "debian-handbook/"),
    ("What is preseeding of the installer?", "debian-handbook/"),
]


class CorpusTest(stack.LocalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.summaries = {}
        for name, below in BOOKS.items():
            folder = SHELF / name / below
            if not folder.is_dir():
                raise AssertionError(f"{folder} is missing: install the package {name}")
            cls.summaries[name] = cls.must("ingest", "--local", "--json", str(folder), "--prefix", f"{name}/", "-m",
                                           f"book={name}", timeout_s=1800).json
        print({name: one["summary"] for name, one in cls.summaries.items()})

    def test_all_of_it_is_there(self):
        listed, after = {}, ""
        while after is not None:
            page = self.call("GET", f"/documents?limit=1000&after={after}")[1]
            listed |= {row["id"]: row for row in page["documents"]}
            after = page["next"]
        for name, document in self.summaries.items():
            self.assertEqual(document["failed"], [], name)
            below = [row for row in listed.values() if row["id"].startswith(f"{name}/")]
            self.assertEqual(len(below), document["summary"]["documents"])
            self.assertEqual(sum(row["passages"] for row in below), document["summary"]["passages"])
            self.assertTrue(all(row["bytes"] for row in below))
        self.assertGreater(sum(one["summary"]["passages"] for one in self.summaries.values()), 2000)

    def test_passages_are_the_text(self):
        """What is stored of each document is its text, whole and in order."""
        self.assertEqual(self.sql("""
            SELECT count(*) FROM rag.documents d JOIN
              (SELECT document, string_agg(text, '' ORDER BY place) AS whole FROM rag.passages GROUP BY 1) p ON p.document = d.id
            WHERE p.whole <> d.text"""), "0")
        self.assertEqual(self.sql("""SELECT count(*) FROM rag.units u JOIN rag.documents d ON d.id = u.document
            WHERE u.hash <> sha256(substring(convert_to(d.text, 'UTF8') FROM u.start_byte + 1
                                             FOR u.end_byte - u.start_byte))"""), "0")

    def test_questions_find_their_book(self):
        for question, book in QUESTIONS:
            with self.subTest(question):
                reply = self.ask(question)
                self.assertEqual(reply["outcome"], "answered", reply)
                self.assertTrue(any(one["document"].startswith(book) for one in reply["citations"]), reply["citations"])
                for one in reply["citations"]:
                    inside = one["start"] - one["passage_start"]
                    passage = one["passage"].encode()
                    self.assertEqual(passage[inside:inside + len(one["quote"].encode())].decode(), one["quote"])

    def test_a_filter_stays_in_its_book(self):
        reply = self.ask("What is a package?", "--filter", "book=debian-policy")
        self.assertEqual({one["document"].split("/")[0] for one in reply["citations"]}, {"debian-policy"})

    def test_again_costs_nothing(self):
        summary = self.ingest(str(SHELF / "developers-reference" / "docs"), "--prefix", "developers-reference/", "-m",
                              "book=developers-reference")
        self.assertEqual((summary["unchanged"], summary["embedded"]), (summary["documents"], 0))


if __name__ == "__main__":
    unittest.main()
