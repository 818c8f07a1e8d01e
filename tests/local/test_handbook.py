"""The whole product on this machine: documents in, questions, proof, refusals, deletion, migration."""

import json
import os
import shutil
import signal
import unittest
import urllib.parse
import urllib.request

import stack
from corrections import schema_function
from stack import HANDBOOK, QUESTIONS

ANSWERED = [row for row in QUESTIONS["answered"] if row["kind"] == "keyword"]
FAR = ["What is the capital of Australia?", "How do I train a puppy not to bite?",
       "Which vaccine protects against yellow fever?"]


def text_of(document):
    return (HANDBOOK / document).read_bytes()


class AnswerTest(stack.LocalCase):
    def test_answers_are_proved(self):
        for row in ANSWERED[::5]:
            with self.subTest(row["question"]):
                reply = self.ask(row["question"])
                self.assertEqual(reply["outcome"], "answered", reply)
                sources = [one for one in reply["citations"] if one["document"] == row["document"]]
                self.assertTrue(sources, reply)
                for one in sources:
                    whole = text_of(row["document"])
                    self.assertEqual(whole[one["start"]:one["end"]].decode(), one["quote"])
                    passage = one["passage"].encode()
                    self.assertEqual(whole[one["passage_start"]:one["passage_start"] + len(passage)], passage)
                quotes = " ".join(" ".join(one["quote"] for one in sources).split())
                for word in row["words"]:
                    self.assertIn(word, quotes)

    def test_most_questions_find_their_document(self):
        found = sum(any(one["document"] == row["document"] for one in self.ask(row["question"])["citations"])
                    for row in ANSWERED)
        self.assertGreaterEqual(found, 24, f"{found} of {len(ANSWERED)}")

    def test_what_the_documents_do_not_say_is_refused(self):
        for question in FAR:
            with self.subTest(question):
                reply = self.ask(question)
                self.assertEqual((reply["outcome"], reply["answer"], reply["citations"]), ("no_answer", "", []))
                self.assertEqual(len(reply["nearest"]), 3)
                self.assertEqual(reply["timings_ms"]["generate"], 0)  # no model was asked
        text = self.must("ask", "--local", FAR[0]).stdout
        self.assertTrue(text.startswith("The documents do not answer this.\n"), text)

    def test_extracts_do_not_pass_for_a_model(self):
        text = self.must("ask", "--local", ANSWERED[0]["question"])
        self.assertIn("Extracts (no language model is configured)", text.stdout)
        self.assertIn("\n[1] Vacation (", text.stdout)
        self.assertNotIn("$", text.stderr)

    def test_a_filter_leaves_the_rest_out(self):
        (self.folder / "legal").mkdir()
        (self.folder / "legal" / "vacation-old.md").write_text("# Vacation\n\nEverybody has 24 days of paid vacation a year.\n")
        self.addCleanup(self.call, "DELETE", "/documents/legal%2Fvacation-old.md")
        self.ingest("legal", "--prefix", "legal/", "-m", "team=legal")
        reply = self.ask(ANSWERED[0]["question"], "--filter", "team=legal")
        self.assertEqual({one["document"] for one in reply["citations"]}, {"legal/vacation-old.md"})


class DocumentTest(stack.LocalCase):
    def test_again_costs_nothing(self):
        summary = self.ingest(str(HANDBOOK))
        self.assertEqual((summary["documents"], summary["unchanged"], summary["embedded"]), (40, 40, 0))

    def test_one_is_deleted_and_comes_back(self):
        question = ANSWERED[0]["question"]
        path = "/documents/" + urllib.parse.quote("people/vacation.md", safe="")
        self.assertEqual(self.call("DELETE", path)[0], 204)
        self.assertEqual(self.call("DELETE", path)[0], 404)
        self.assertNotIn("people/vacation.md", [one["document"] for one in self.ask(question)["citations"]])
        summary = self.ingest(str(HANDBOOK))
        self.assertEqual((summary["stored"], summary["unchanged"]), (1, 39))
        self.assertIn("people/vacation.md", [one["document"] for one in self.ask(question)["citations"]])

    def test_a_change_replaces_and_what_is_gone_is_deleted(self):
        copy = self.folder / "copy"
        shutil.copytree(HANDBOOK / "sales", copy)
        self.ingest("copy", "--prefix", "copy/")
        (copy / "pricing.md").write_text("# Discounts\n\nThe navy of Ruritania gets 61 per cent off.\n")
        os.unlink(copy / "tenders.md")
        result = self.must("ingest", "--local", "--json", "copy", "--prefix", "copy/", "--delete-missing", "--yes").json
        self.assertEqual(result["deleted"], ["copy/tenders.md"])
        self.assertEqual((result["summary"]["stored"], result["summary"]["unchanged"]), (1, 1))
        reply = self.ask("What discount does the navy of Ruritania get?")
        self.assertEqual(reply["citations"][0]["document"], "copy/pricing.md")
        self.assertIn("61 per cent", reply["citations"][0]["quote"])
        shutil.rmtree(copy)
        copy.mkdir()
        (copy / "last.md").write_text("last")
        self.must("ingest", "--local", "copy", "--prefix", "copy/", "--delete-missing", "--yes")
        ids = [row["id"] for row in self.call("GET", "/documents?limit=1000")[1]["documents"]]
        self.assertEqual([one for one in ids if one.startswith("copy/")], ["copy/last.md"])
        self.assertEqual(len(ids), 41)
        self.assertEqual(self.call("DELETE", "/documents/copy%2Flast.md")[0], 204)

    def test_a_list_by_pages(self):
        seen, after = [], ""
        while after is not None:
            status, page = self.call("GET", f"/documents?limit=7&after={urllib.parse.quote(after, safe='')}")
            self.assertEqual(status, 200)
            seen += [row["id"] for row in page["documents"]]
            after = page["next"]
        self.assertEqual(seen, sorted(path.relative_to(HANDBOOK).as_posix() for path in HANDBOOK.rglob("*.md")))

    def test_what_is_wrong_is_told(self):
        for path, body, headers, status in (
            ("/documents", {"documents": []}, {}, 400), ("/documents", {"documents": [{"id": "a"}]}, {}, 400),
            ("/documents", {"documents": [{"id": "", "text": "x"}]}, {}, 400), ("/documents", b"{", {}, 400),
            ("/documents", b"x", {"Content_Type": "text/plain"}, 415), ("/ask", {"question": " "}, {}, 400),
            ("/ask", {"question": "x" * 4001}, {}, 400), ("/ask", {"question": "?", "top_k": 99}, {}, 400),
            ("/nowhere", {}, {}, 404),
        ):
            with self.subTest(path=path, body=body):
                self.assertEqual(self.call("POST", path, body, **headers)[0], status)

    def test_a_table_of_another_database(self):
        self.sql("""CREATE TABLE public."old Docs" (doc text, part int, body text, meta jsonb);
            INSERT INTO public."old Docs" VALUES
              ('m/one', 2, 'The second half: hibernation lasts 5 months.', '{"from": "old"}'),
              ('m/one', 1, E'# Marmots\\n\\nBack\\\\slash, tab\\tand "quotes". Grüße.', '{"from": "old"}'),
              ('m/two', 1, 'Marmots whistle when an eagle comes.', NULL), ('m/three', 1, '  ', NULL);""")
        result = self.must("ingest", "--local", "--json", "--from", self.database_url(), "--table", "public.old Docs",
                           "--id", "doc", "--text", "body", "--order", "part", "--metadata-column", "meta",
                           "--prefix", "old/", status=6)
        self.assertEqual([row["id"] for row in result.json["failed"]], ["old/m/three"])
        self.assertEqual((result.json["summary"]["stored"], result.json["summary"]["same_sum"]), (2, 2))
        reply = self.ask("How long does hibernation last?", "--filter", "from=old")
        self.assertEqual(reply["citations"][0]["document"], "old/m/one")
        self.assertEqual(self.sql("SELECT text FROM rag.documents WHERE id = 'old/m/one'"),
                         '# Marmots\n\nBack\\slash, tab\tand "quotes". Grüße.\n\nThe second half: hibernation lasts 5 months.')
        again = self.must("ingest", "--local", "--from", self.database_url(), "--table", "public.old Docs", "--id", "doc",
                          "--text", "body", "--order", "part", "--metadata-column", "meta", "--prefix", "old/", status=6)
        self.assertIn("2 unchanged", again.stdout)
        self.assertIn("3 documents in the table, 2 in the stack below old/; 2 of 2 texts have the same SHA-256 on both "
                      "sides.", again.stderr)
        self.sql("UPDATE rag.documents SET text = text || ' ' WHERE id = 'old/m/two'")  # behind the functions' back
        spoilt = self.must("ingest", "--local", "--json", "--from", self.database_url(), "--table", "public.old Docs", "--id",
                           "doc", "--text", "body", "--order", "part", "--metadata-column", "meta", "--prefix", "old/",
                           status=6).json
        self.assertEqual(sorted(row["id"] for row in spoilt["failed"]), ["old/m/three", "old/m/two"])
        self.assertIn("is not the one that was read", [row["why"] for row in spoilt["failed"] if row["id"] == "old/m/two"][0])
        missing = self.must("ingest", "--local", "--from", self.database_url(), "--table", "nothing", "--id", "doc",
                            "--text", "body", status=1)
        self.assertIn("nothing", missing.stderr)
        for one in ("old/m/one", "old/m/two"):
            self.call("DELETE", "/documents/" + urllib.parse.quote(one, safe=""))

    def test_vectors_of_the_same_model_are_taken_over(self):
        self.sql("""CREATE TABLE public.old_chunks AS SELECT 'x/' || u.document AS doc, row_number() OVER () AS n,
              'ragstack.use-lite' AS model, u.embedding::vector AS v,
              convert_from(substring(convert_to(d.text, 'UTF8') FROM u.start_byte + 1 FOR u.end_byte - u.start_byte), 'UTF8') AS body
            FROM rag.units u JOIN rag.documents d ON d.id = u.document WHERE u.document LIKE 'people/%'
            ORDER BY u.document, u.passage, u.place;
            UPDATE public.old_chunks SET v = ('[' || repeat('0,', 511) || '1]')::vector, body = 'Marmots hibernate.' WHERE n = 1;""")
        self.addCleanup(self.sql, "DELETE FROM rag.documents WHERE id LIKE 'x/%'; DROP TABLE public.old_chunks")
        migrate = ["ingest", "--local", "--json", "--from", self.database_url(), "--table", "public.old_chunks", "--id", "doc",
                   "--text", "body", "--order", "n"]
        summary = self.must(*migrate, "--embedding", "v", "--embedding-model", "ragstack.use-lite").json["summary"]
        self.assertEqual((summary["stored"], summary["same_sum"], summary["embedded"]), (9, 9, 0))
        self.assertEqual(self.sql("SELECT count(*) FROM rag.units u JOIN public.old_chunks o ON o.doc = u.document"
                                  " WHERE o.n = 1 AND u.embedding = o.v::halfvec"), "1")
        self.assertEqual(self.sql("SELECT count(*) FROM rag.units WHERE document LIKE 'x/%'"),
                         self.sql("SELECT count(*) FROM public.old_chunks"))
        self.assertEqual(self.sql("SELECT count(*) FROM public.old_chunks o WHERE n > 1 AND NOT EXISTS (SELECT FROM rag.units u"
                                  " WHERE u.document = o.doc AND u.embedding = o.v::halfvec)"), "0")
        reply = self.ask(ANSWERED[0]["question"])
        self.assertIn("x/people/vacation.md", [one["document"] for one in reply["citations"]])
        for one in reply["citations"]:
            self.assertIn(one["quote"], one["passage"])
        self.assertEqual(self.must(*migrate, "--embedding", "v", "--embedding-model", "ragstack.use-lite").json["summary"]["unchanged"], 9)
        self.sql("DELETE FROM rag.documents WHERE id LIKE 'x/%'")
        summary = self.must(*migrate, "--embedding", "v", "--embedding-model", "another.model").json["summary"]
        self.assertEqual((summary["stored"], summary["same_sum"]), (9, 9))
        self.assertGreaterEqual(summary["embedded"], 1)  # made anew, but for texts whose vectors are there
        self.assertEqual(self.sql("SELECT count(*) FROM rag.units u JOIN public.old_chunks o ON o.n = 1"
                                  " WHERE u.embedding = o.v::halfvec"), "0")
        status, body = self.call("POST", "/documents", {"documents": [{"id": "x/bad", "text": "äb", "given": {
            "embedder": "ragstack.use-lite", "pieces": [{"start": 1, "end": 3, "vector": "AACAPw" + "A" * 2726}]}}]})
        self.assertEqual(status, 400, body)


class SchemaTest(stack.LocalCase):
    """What the emulator of AWS plays (tests/aws/corrections/schema_function.py) is what the function says."""

    def invoke(self, event):
        return self.supervisor().call("POST", "/functions/schema/invoke", event)

    def test_the_report_is_the_played_one(self):
        status, report = self.invoke({"ragstack": "schema-look"})
        self.assertEqual(status, 200, report)
        self.assertEqual(set(schema_function.EMPTY) - set(report), set())
        self.assertEqual(report["migrations"], schema_function.NEWEST)
        self.assertGreater(report["characters"], report["units"])

    def test_another_model_is_refused_as_it_is_played(self):
        before = self.invoke({"ragstack": "schema-look"})[1]
        for wanted in ({"embedder": "another", "dimensions": before["dimensions"]}, {"embedder": before["embedder"], "dimensions": 64}):
            with self.subTest(wanted):
                status, reply = self.invoke({"ragstack": "schema", **wanted})
                self.assertEqual((status, reply["errorType"]), (502, "Ragstack.DataLoss"), reply)
                self.assertIn(f"{before['units']} vectors are of {before['embedder']}", reply["errorMessage"])
        self.assertEqual(self.invoke({"ragstack": "schema-look"})[1], before)


class WatchTest(stack.LocalCase):
    def lines(self, name):
        (path,) = self.folder.glob(f".ragstack/local/*/logs/{name}.log")
        return [json.loads(line.split("\t", 1)[1]) for line in path.read_text().splitlines() if "\t{" in line]

    def test_figures_are_the_sums_of_the_lines(self):
        ids = [self.ask(row["question"])["request_id"] for row in ANSWERED[:5]]
        self.ask(FAR[0])
        self.assertEqual(self.call("GET", "/nowhere")[0], 404)
        rows = self.must("watch", "--local", "--json").json["metrics"]
        asked = [line for line in self.lines("ask") if line.get("event") == "question"]
        access = [line for line in self.lines("api") if "routeKey" in line]
        self.assertEqual(rows["questions"]["value"], len(asked))
        self.assertEqual(rows["refusals"]["value"], sum(line["NoAnswer"] for line in asked))
        self.assertEqual(rows["input-tokens"]["today"], sum(line["InputTokens"] for line in asked))
        self.assertEqual(rows["requests"]["value"], len(access))
        self.assertEqual(rows["answers-4xx"]["value"], sum(400 <= line["status"] < 500 for line in access))
        ordered = sorted(line["TotalMs"] for line in asked)
        self.assertEqual(rows["ask"]["p50"], ordered[(len(ordered) + 1) // 2 - 1])
        self.assertEqual(rows["ask"]["p99"], ordered[-1])
        self.assertGreaterEqual(rows["cold-starts"]["value"], 1)
        self.assertGreaterEqual(rows["connections"]["value"], 1)
        self.assertTrue(0 <= rows["database-cpu"]["value"] <= 100, rows["database-cpu"])
        self.assertGreater(rows["free-memory"]["value"], 2**20)
        self.assertNotIn("pinned", rows)
        summary = self.must("logs", "--local", "--cost", "--slow", "1", "--errors", "--json").json
        self.assertEqual(sum(row["questions"] for row in summary["cost"]), len(asked))
        self.assertEqual(summary["slow"][0]["total_ms"], ordered[-1])
        self.assertEqual(summary["errors"], [])
        trace = self.must("logs", "--local", "--request", ids[0], "--trace", "--json").json
        own = next(line for line in asked if line["requestId"] == ids[0])
        told = {span["name"]: span["length_ms"] for span in trace["spans"]}
        self.assertEqual(told["generate"], own["GenerateMs"])
        self.assertEqual((trace["outcome"], trace["status"]), ("answered", 200))


class LifeTest(stack.LocalCase):
    def test_the_page_is_served_and_asks(self):
        process = self.program.start("open", "--local")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url, timeout=30) as reply:
            self.assertIn(b"Ask the documents", reply.read())
        request = urllib.request.Request(url + "ask", b'{"question": "On which day of the month are salaries paid?"}',
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            self.assertIn(b"25th", reply.read())
        with urllib.request.urlopen(self.url() + "/", timeout=30) as reply:
            self.assertIn(b"Ask the documents", reply.read())

    def test_killed_it_comes_back_with_its_documents(self):
        (path,) = self.folder.glob(".ragstack/local/*/supervisor.json")
        os.kill(json.loads(path.read_text())["pid"], signal.SIGKILL)
        self.assertNotEqual(self.program.run("ask", "--local", "Anybody there?").status, 0)
        self.must("up", "--local", "--yes")
        self.assertEqual(self.ask(ANSWERED[0]["question"])["citations"][0]["document"], "people/vacation.md")
        self.assertEqual(self.ingest(str(HANDBOOK))["unchanged"], 40)

    def test_zz_down_keeps_the_data_until_it_may_go(self):
        self.must("down", "--local", "--yes")
        self.assertIn("`ragstack up --local` makes it", self.program.run("ask", "--local", "Anybody there?").stderr)
        self.must("up", "--local", "--yes")
        self.assertEqual(self.ingest(str(HANDBOOK))["unchanged"], 40)
        data = self.sql("SHOW data_directory")
        self.assertTrue(os.path.isdir(data))
        result = self.must("down", "--local", "--yes", "--allow-data-loss=database")
        self.assertIn("Nothing of the stack is left.", result.stderr)
        self.assertFalse(os.path.exists(data))


if __name__ == "__main__":
    unittest.main()
