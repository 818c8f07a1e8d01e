"""The documents bucket: what is put there is a document, and goes with its object. The function is the
real one, in a stack on this machine; S3 is the emulator's."""

import json
import os
import unittest
import urllib.parse

import stack  # sets the paths

import harness

BUCKET = "acme-documents"


class BucketTest(stack.LocalCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = harness.shared_gateway()
        cls.gateway.reset(state=True)
        cls.s3 = cls.gateway.client("s3")
        cls.s3.create_bucket(Bucket=BUCKET)
        super().setUpClass()
        environment = {"RAG_BUCKET": BUCKET, "AWS_ENDPOINT_URL_S3": cls.gateway.url,
                       "AWS_ACCESS_KEY_ID": harness.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": harness.SECRET_KEY}
        (cls.folder / "ragstack.yaml").write_text(stack.STACK + f"functions: {{ingest: {{environment: {json.dumps(environment)}}}}}\n")
        cls.must("up", "--local", "--yes")

    def event(self, *keys, name="ObjectCreated:Put", bucket=BUCKET):
        records = [{"eventSource": "aws:s3", "eventName": name, "s3": {
            "bucket": {"name": bucket}, "object": {"key": urllib.parse.quote_plus(key)}}} for key in keys]
        return self.supervisor().call("POST", "/functions/ingest/invoke", {"Records": records})

    def put(self, key, body):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return self.event(key)

    def job(self, key):
        return next((job for job in self.call("GET", "/jobs")[1]["jobs"] if job["id"] == key), None)

    def document(self, key):
        return next((row for row in self.call("GET", "/documents?limit=1000")[1]["documents"] if row["id"] == key), None)

    def test_an_object_becomes_a_document_and_goes_with_it(self):
        key = "policies/été & more.md"
        status, reply = self.put(key, "# Parental leave\n\nParents of twins get 77 days of leave.\n")
        self.assertEqual((status, reply["documents"][0]["status"]), (200, "stored"), reply)
        document, job = self.document(key), self.job(key)
        self.assertEqual((document["title"], document["source"]), ("Parental leave", f"s3://{BUCKET}/{key}"))
        self.assertEqual((job["state"], job["done"]), ("stored", job["total"]))
        self.assertIn("77 days", self.ask("How many days of leave do parents of twins get?")["answer"])
        self.assertEqual(self.event(key)[1]["documents"][0]["status"], "unchanged")  # told twice
        self.s3.delete_object(Bucket=BUCKET, Key=key)
        self.assertEqual(self.event(key, name="ObjectRemoved:Delete")[0], 200)
        self.assertIsNone(self.document(key))
        self.assertEqual(self.job(key)["state"], "deleted")

    def test_what_counts_is_what_stands_there(self):
        self.s3.put_object(Bucket=BUCKET, Key="late.txt", Body="new words")
        self.event("late.txt", name="ObjectRemoved:Delete")  # an older event that comes late
        self.assertEqual(self.document("late.txt")["bytes"], len("new words"))
        self.s3.delete_object(Bucket=BUCKET, Key="late.txt")
        self.event("late.txt", name="ObjectCreated:Put")
        self.assertIsNone(self.document("late.txt"))

    def test_json_has_title_text_and_metadata(self):
        self.put("one.json", json.dumps({"id": "another", "title": "One", "text": "Some words.", "metadata": {"team": "ops"}}))
        self.assertEqual(self.document("one.json")["title"], "One")
        self.assertIsNone(self.document("another"))

    def test_a_failure_fails_the_event_and_is_kept(self):
        for key, body, why in (("a.pdf", b"%PDF-1.7", "converts other types"), ("b.txt", b"\xff\xfe", "no UTF-8"),
                               ("c.json", b"[1]", "title and text"), ("d.md", os.urandom(10) * (600 << 10), "larger than 5 MB")):
            with self.subTest(key):
                status, reply = self.put(key, body)
                self.assertEqual(status, 502, reply)
                self.assertIn(why, reply["errorMessage"])
                self.assertEqual(self.job(key)["state"], "failed")
                self.assertIn(why, self.job(key)["error"])

    def test_one_that_fails_does_not_hold_up_the_others(self):
        self.s3.put_object(Bucket=BUCKET, Key="bad.pdf", Body=b"%PDF")
        self.s3.put_object(Bucket=BUCKET, Key="good.txt", Body=b"good words")
        self.assertEqual(self.event("bad.pdf", "good.txt")[0], 502)
        self.assertIsNotNone(self.document("good.txt"))

    def test_folders_of_consoles_are_nothing(self):
        self.assertEqual(self.put("folder/", b"")[0], 200)
        self.assertIsNone(self.job("folder/"))

    def test_another_bucket_is_not_read(self):
        status, reply = self.event("x.txt", bucket="somebody-elses")
        self.assertEqual(status, 502)
        self.assertIn("not this stack's", reply["errorMessage"])


if __name__ == "__main__":
    unittest.main()
