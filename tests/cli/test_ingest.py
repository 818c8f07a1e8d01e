"""ingest: which files, by what names, in what requests; what is gone; what cannot be read."""

import os
import signal
import time
import unittest

import cli
import harness
import stub_api

STACK = "stack: demo\nregion: us-east-1\napi: {auth: iam}\n"


class IngestCase(cli.OfflineCase):
    def setUp(self):
        super().setUp()
        self.api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY)
        self.addCleanup(self.api.close)
        self.write("ragstack.yaml", STACK)

    def ingest(self, *arguments, status=0, **options):
        return self.status(status, "ingest", "--api", self.api.url, *arguments, **options)

    def ingest_json(self, *arguments, status=0, **options):
        return self.json_of("ingest", status, "ingest", "--json", "--api", self.api.url, *arguments, **options)

    def posts(self):
        return sum(one.startswith("POST /documents") for one in self.api.requests)

    def write_some(self, count, folder="docs", text="text"):
        for number in range(count):
            self.write(f"{folder}/{number:03}.md", f"# Number {number}\n\n{text}\n")


class FilesTest(IngestCase):
    def test_a_folder(self):
        self.write("docs/leave.md", "# Leave and absence\n\nTwenty-five days.\n")
        self.write("docs/deep/er/page.html", "<title>T</title><h1>Page</h1><p>Text &amp; more")
        self.write("docs/notes.txt", "Just notes\r\nin two lines\r\n")
        self.write("docs/.hidden.md", "no")
        self.write("docs/.git/config.md", "no")
        self.write("docs/picture.png", "no")
        result = self.plain(self.ingest("docs/"))
        self.assertRegex(result.stdout, r"^3 documents: 3 stored, 0 unchanged; 3 passages in \d+\.\d s\n$")
        self.assertIn("1 files of other kinds are left out", result.stderr)
        self.assertEqual(self.api.documents, {
            "leave.md": {"id": "leave.md", "title": "Leave and absence", "source": "docs/leave.md",
                         "text": "# Leave and absence\n\nTwenty-five days.\n"},
            "deep/er/page.html": {"id": "deep/er/page.html", "title": "Page", "source": "docs/deep/er/page.html",
                                  "text": "# Page\n\nText & more\n"},
            "notes.txt": {"id": "notes.txt", "title": "notes", "source": "docs/notes.txt",
                          "text": "Just notes\nin two lines\n"}})

    def test_again_costs_nothing(self):
        self.write_some(3)
        self.assertEqual(self.ingest_json("docs")["summary"]["stored"], 3)
        self.write("docs/001.md", "# Changed\n")
        summary = self.ingest_json("docs")["summary"]
        self.assertEqual((summary["stored"], summary["unchanged"], summary["embedded"]), (1, 2, 2))

    def test_files_and_patterns(self):
        self.write_some(3)
        self.write("README", "no ending, but named")
        rows = self.ingest_json("docs/00[01].md", "docs/001.md", "README")["documents"]
        self.assertEqual(sorted(row["id"] for row in rows), ["000.md", "001.md", "README"])
        self.assertIn("nothing fits", self.ingest("docs/x*.md", status=64).stderr)

    def test_links_are_followed_once(self):
        self.write_some(1)
        (self.folder / "docs" / "again").symlink_to(self.folder / "docs")
        self.write("other/far.md", "far")
        (self.folder / "docs" / "linked").symlink_to(self.folder / "other")
        self.assertEqual(set(row["id"] for row in self.ingest_json("docs")["documents"]), {"000.md", "linked/far.md"})

    def test_two_with_one_name_are_refused(self):
        self.write("a/x.md", "a")
        self.write("b/x.md", "b")
        result = self.ingest("a", "b", status=64)
        self.assertIn('a/x.md and b/x.md would both be the document "x.md"', result.stderr)
        self.assertEqual(self.api.requests, [])
        self.ingest("a", "--prefix", "a/")
        self.ingest("b", "--prefix", "b/")
        self.assertEqual(set(self.api.documents), {"a/x.md", "b/x.md"})

    def test_a_pdf(self):
        pdf = ("%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
               "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]/Contents 4 0 R/Resources<</Font<</F1 "
               "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>>>>>>>endobj\n4 0 obj<</Length 44>>stream\n"
               "BT /F1 18 Tf 0 60 Td (Price list) Tj ET    \nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
        self.write("docs/prices.pdf", pdf)
        self.ingest("docs")
        self.assertEqual(self.api.documents["prices.pdf"]["title"], "Price list")

    def test_what_goes_along(self):
        self.write_some(1)
        self.ingest("docs", "-m", "team=legal", "-m", "year=2026", "--url", "https://wiki.example.com/x")
        document = self.api.documents["000.md"]
        self.assertEqual(document["metadata"], {"team": "legal", "year": "2026"})
        self.assertEqual(document["source"], "https://wiki.example.com/x/000.md")

    def test_a_dry_run_asks_nobody(self):
        self.write_some(2)
        (self.folder / "docs" / "binary.txt").write_bytes(b"\0\1\2")
        result = self.ingest("docs", "--dry-run", status=6, env={"AWS_ACCESS_KEY_ID": None})
        self.assertEqual(result.stdout, '000.md  "Number 0"  17 bytes\n001.md  "Number 1"  17 bytes\n')
        self.assertIn("binary.txt: it is no text", result.stderr)
        document = self.ingest_json("docs", "--dry-run", status=6)
        self.assertEqual([row["id"] for row in document["documents"]], ["000.md", "001.md"])
        self.assertEqual(self.api.requests, [])

    def test_files_that_cannot_be_read_are_told_at_the_end(self):
        self.write_some(2)
        (self.folder / "docs" / "binary.txt").write_bytes(b"\x7fELF\0")
        self.write("docs/empty.md", " \n")
        result = self.ingest("docs", status=6)
        self.assertIn("4 documents: 2 stored, 0 unchanged, 2 failed", result.stdout)
        self.assertIn("  binary.txt: it is no text\n", result.stderr)
        self.assertIn("  empty.md: it holds no text\n", result.stderr)
        self.assertIn("2 of 4 documents could not be ingested", result.stderr)
        failed = self.ingest_json("docs", status=6)["failed"]
        self.assertEqual([row["id"] for row in failed], ["binary.txt", "empty.md"])


class RequestTest(IngestCase):
    def test_batches_and_several_at_a_time(self):
        self.write_some(150)
        self.api.delay_s = 0.2
        self.ingest("docs")
        self.assertEqual(len(self.api.documents), 150)
        self.assertLessEqual(self.posts(), 8)  # of up to 32
        self.assertEqual(self.api.most_under_way, 4)

    def test_large_documents_go_alone(self):
        self.write_some(8, text="word " * 40000)  # 200 kB each
        self.ingest("docs", "--at-once", "2")
        self.assertEqual(self.posts(), 8)
        self.assertLessEqual(self.api.most_under_way, 2)

    def test_what_the_api_does_not_take(self):
        self.write("docs/huge.txt", "huge " * 1200000)
        self.write_some(1)
        result = self.ingest("docs", status=6)
        self.assertIn("huge.txt: its text is larger than 5 MB", result.stderr)
        self.assertEqual(set(self.api.documents), {"000.md"})

    def test_one_refused_document_keeps_no_other_back(self):
        self.write_some(5)
        self.api.refused_ids = {"003.md"}
        result = self.ingest("docs", status=6)
        self.assertIn("003.md is refused", result.stderr)
        self.assertEqual(set(self.api.documents), {"000.md", "001.md", "002.md", "004.md"})

    def test_it_waits_when_the_api_is_busy(self):
        self.write_some(2)
        self.api.refusals = [stub_api.problem(429, "Too Many Requests", "slowly", **{"Retry-After": "2"}),
                             (503, {}, {"message": "Service Unavailable"})]
        start = time.monotonic()
        self.ingest("docs", "--at-once", "1")
        self.assertGreater(time.monotonic() - start, 3.5)
        self.assertEqual(self.posts(), 3)

    def test_who_may_not_is_told_at_once(self):
        self.write_some(100)
        result = self.ingest("docs", status=1, env={"AWS_SECRET_ACCESS_KEY": "wrong"})
        self.assertIn("execute-api:Invoke", result.stderr)
        self.assertLessEqual(self.posts(), 4)

    def test_another_model_ends_it(self):
        self.write_some(100)
        self.api.refusals = [stub_api.problem(409, "Conflict", "the stored vectors are of another model")] * 4
        self.assertIn("another model", self.ingest("docs", status=1).stderr)
        self.assertLessEqual(self.posts(), 4)

    def test_an_api_that_goes_away(self):
        self.write_some(2)
        self.api.close()
        result = self.ingest("docs", status=1, timeout_s=120)
        self.assertIn("127.0.0.1", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_interrupted_it_says_how_to_go_on(self):
        self.write_some(200)
        self.api.delay_s = 0.5
        process = self.program.start("ingest", "docs", "--at-once", "1", "--api", self.api.url)
        while len(self.api.documents) < 32:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        self.assertEqual((process.returncode, stdout), (130, ""), stderr)
        self.assertRegex(stderr, r"\d+ of 200 documents are stored; run it again")
        self.api.delay_s = 0
        summary = self.ingest_json("docs")["summary"]
        self.assertGreaterEqual(summary["unchanged"], 32)

    def test_a_terminal_gets_a_bar(self):
        self.write_some(200)
        self.api.delay_s = 0.6
        terminal = cli.Terminal(self.program, "ingest", "docs", "--at-once", "1", "--api", self.api.url)
        terminal.read_until("of 200 documents, 16 %")
        self.assertIn("█", terminal.seen)
        terminal.read_until("passages/s")
        terminal.read_until("left")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("200 documents: 200 stored", terminal.seen)


class MissingTest(IngestCase):
    def setUp(self):
        super().setUp()
        self.write_some(3)
        self.ingest("docs")
        self.api.documents["from/the/bucket.md"] = {"id": "from/the/bucket.md", "title": "B", "source": "s3://b/bucket.md"}
        self.api.documents["typed in"] = {"id": "typed in", "title": "T"}
        os.unlink(self.folder / "docs" / "001.md")

    def test_it_asks_and_deletes_what_came_from_here(self):
        self.assertIn("say --yes", self.ingest("docs", "--delete-missing", status=64).stderr)
        self.assertIn("001.md", self.api.documents)
        result = self.ingest("docs", "--delete-missing", "--yes")
        self.assertIn("1 document came from here, and their files are gone:\n  - 001.md\n", result.stderr)
        self.assertIn("1 deleted", result.stdout)
        self.assertEqual(set(self.api.documents), {"000.md", "002.md", "from/the/bucket.md", "typed in"})
        self.assertEqual(self.ingest_json("docs", "--delete-missing", "--yes")["deleted"], [])

    def test_a_dry_run_shows_them(self):
        result = self.ingest("docs", "--delete-missing", "--dry-run")
        self.assertIn("  - 001.md\n", result.stderr)
        self.assertIn("001.md", self.api.documents)

    def test_another_folder_is_another_matter(self):
        self.write("more/new.md", "new")
        self.ingest("more", "--delete-missing", "--yes")
        self.assertIn("001.md", self.api.documents)

    def test_many_pages(self):
        self.api.documents.update({f"x/{n:05}.md": {"id": f"x/{n:05}.md", "title": "", "source": f"docs/x/{n:05}.md"}
                                   for n in range(2500)})
        document = self.ingest_json("docs", "--delete-missing", "--yes", timeout_s=120)
        self.assertEqual(len(document["deleted"]), 2501)
        self.assertEqual(set(self.api.documents), {"000.md", "002.md", "from/the/bucket.md", "typed in"})

    def test_it_wants_a_folder(self):
        self.assertIn("name one", self.ingest("docs/000.md", "--delete-missing", status=64).stderr)


class WrongTest(IngestCase):
    def test_bad_input(self):
        self.write_some(1)
        (self.folder / "empty").mkdir()
        for words, part in (
            ([], "usage: ragstack ingest"), (["nothing"], 'no file or folder "nothing"'),
            (["empty"], "there is nothing to ingest"), (["docs", "-m", "x"], "KEY=VALUE"),
            (["docs", "--at-once", "17"], "from 1 to 16"), (["docs", "--table", "t"], "with --from only"),
            (["--from", "postgres://h/d"], "--from wants --table"),
            (["--from", "postgres://h/d", "--table", "t", "--id", "i", "--text", "x", "--embedding", "v"], "go together"),
            (["docs", "--from", "postgres://h/d", "--table", "t", "--id", "i", "--text", "x"], "no paths"),
            (["--from", "postgres://h/d", "--table", "t", "--id", "", "--text", "x"], "no name in a database"),
        ):
            with self.subTest(words):
                self.assertIn(part, self.ingest(*words, status=64).stderr)
        self.assertEqual(self.api.requests, [])


if __name__ == "__main__":
    unittest.main()
