"""up: new functions are tried by smoke questions, and `live` goes back when one fails."""

import json
import time
import unittest

import cli
import harness
import stub_api

QUESTION = "How many days of vacation are there?"
STACK = cli.STACK + f"""release: {{smoke: ["{QUESTION}", "Who is head of security?"]}}
"""
BROKEN = (500, {}, {"message": "Internal Server Error"})


class ReleaseTest(cli.CloudCase):
    stack = STACK

    def setUp(self):
        super().setUp()
        self.api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY)
        self.addCleanup(self.api.close)

    def up(self, status=0, code=None, **options):
        if code:
            cli.write_handler(self.folder, f"#!/bin/sh\n# {code}\n")
        return self.status(status, "up", "--yes", "--api", self.api.url, **options)

    def live(self):
        client = self.client("lambda")
        names = [row["FunctionName"] for row in client.list_functions()["Functions"]]
        aliases = [client.get_alias(FunctionName=name, Name="live") for name in names]
        return {alias["AliasArn"].split(":")[6].split("-")[1]: alias["FunctionVersion"] for alias in aliases}

    def asked(self):
        asked = [row["question"] for row in self.api.questions]
        self.api.questions.clear()
        return asked

    def test_one_that_answers_stays(self):
        result = self.up()
        self.assertIn("Functions change: then 2 smoke questions are asked; if one fails", result.stderr)
        self.assertIn("2 smoke questions answered.", result.stderr)
        self.assertEqual(self.asked(), [QUESTION, "Who is head of security?"])
        self.assertNotIn("smoke", self.up().stderr)  # nothing changed: nothing is asked
        self.assertEqual(self.asked(), [])
        before = self.live()
        self.up(code="two")
        self.assertNotEqual(self.live(), before)
        history = self.json_of("history", 0, "history", "--json")
        self.assertEqual(history["deployments"][0]["release"], {"asked": 2})

    def test_one_that_fails_sends_live_back(self):
        self.up()
        before = self.live()
        self.api.known[QUESTION] = BROKEN
        started = time.monotonic()
        result = self.up(1, code="broken")
        self.assertLess(time.monotonic() - started, 30)
        self.assertIn(f'the new functions failed at "{QUESTION}":', result.stderr)
        self.assertIn("500: Internal Server Error", result.stderr)
        self.assertIn(f"`live` went back: ask to version {before['ask']}", result.stderr)
        self.assertEqual(self.live(), before)
        document = json.loads(self.status(3, "diff", "--json").stdout)
        stale = [step["id"] for step in document["steps"] if "live" in json.dumps(step)]
        self.assertIn("ask", stale)
        (last, *_) = self.json_of("history", 0, "history", "--json")["deployments"]
        self.assertEqual(last["status"], "failed")
        self.assertEqual(last["release"]["failed"], QUESTION)
        self.assertEqual(last["release"]["returned"]["ask"], before["ask"])
        told = self.status(0, "history", str(last["number"])).stdout
        self.assertIn(f"live went back: ask to version {before['ask']}", told)
        del self.api.known[QUESTION]  # whatever it was: the next up goes forward
        self.up()
        self.assertNotEqual(self.live()["ask"], before["ask"])
        self.status(0, "diff")

    def test_a_single_lost_answer_and_a_busy_api_are_no_failure(self):
        self.up()
        before = self.live()
        self.api.answers = [BROKEN]
        self.up(code="two")
        self.assertNotEqual(self.live(), before)
        self.asked()
        busy = stub_api.problem(429, "Too Many Requests", "all models are throttled", **{"Retry-After": "1"})
        self.api.answers = [busy, busy]
        result = self.up(code="three")
        self.assertEqual(len(self.asked()), 3)
        self.assertIn("1 of 2 smoke questions answered; the API was too busy for the others.", result.stderr)
        (last, *_) = self.json_of("history", 0, "history", "--json")["deployments"]
        self.assertEqual(last["release"], {"asked": 2, "busy": 1})
        self.assertIn("2 questions asked; 1 of them not answered, the API was busy", self.status(0, "history", str(last["number"])).stdout)

    def test_it_is_watched_for_the_given_time(self):
        self.write("ragstack.yaml", STACK.replace("]}", "], watch_s: 5, latency_ms: 500}"))
        self.up()
        self.assertGreaterEqual(len(self.asked()), 6)
        before = self.live()
        self.api.answers = [stub_api.answered()] * 3  # then it gets slow
        self.api.known = {}
        slow = threading_delay(self.api, after=3, seconds=0.8)
        self.addCleanup(slow)
        result = self.up(1, code="slow")
        self.assertRegex(result.stderr, r"the answer took \d+ ms, more than 500")
        self.assertEqual(self.live(), before)

    def alias_updates(self):
        return [entry for entry in self.gateway.requests()["log"] if entry["operation"] == "UpdateAlias"]

    def test_canary_steps(self):
        self.write("ragstack.yaml", STACK.replace("]}", "], canary: [10, 50]}"))
        self.up()
        before = self.live()
        count = len(self.alias_updates())
        self.asked()
        result = self.up(code="two")
        self.assertLess(result.stderr.index("10 % of the calls go"), result.stderr.index("50 % of the calls go"))
        self.assertIn("100 % of the calls go", result.stderr)
        self.assertEqual(len(self.asked()), 6)
        self.assertEqual(len(self.alias_updates()) - count, 7)  # ask and ingest three times each, schema once
        self.assertNotEqual(self.live()["ask"], before["ask"])
        self.status(0, "diff")

    def test_a_canary_that_fails_was_never_led_to_by_all(self):
        self.write("ragstack.yaml", STACK.replace("]}", "], canary: [10]}"))
        self.up()
        before, count = self.live(), len(self.alias_updates())
        self.api.known[QUESTION] = BROKEN
        result = self.up(1, code="broken")
        self.assertNotIn("100 %", result.stderr)
        self.assertEqual(self.live(), before)
        for name in [row["FunctionName"] for row in self.client("lambda").list_functions()["Functions"]]:
            alias = self.client("lambda").get_alias(FunctionName=name, Name="live")
            self.assertFalse((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"))
        del self.api.known[QUESTION]
        self.up()
        self.assertNotEqual(self.live()["ask"], before["ask"])

    def test_without_an_earlier_version_there_is_no_way_back(self):
        self.api.known[QUESTION] = BROKEN
        result = self.up(1)
        self.assertIn("no earlier version", result.stderr)


def threading_delay(api, after, seconds):
    """Answers get slow once so many questions were asked; gives the way back."""
    original = stub_api.StubRequest.ask

    def ask(request, question):
        if request.server is api and len(api.questions) >= after:
            time.sleep(seconds)
        original(request, question)

    stub_api.StubRequest.ask = ask
    return lambda: setattr(stub_api.StubRequest, "ask", original)


if __name__ == "__main__":
    unittest.main()
