"""ask: what is printed of an answer, who may ask, and what an API that refuses is told as."""

import json
import unittest

import cli
import harness
import stub_api

STACK = "stack: demo\nregion: us-east-1\napi: {auth: AUTH}\n"


class AskCase(cli.OfflineCase):
    auth = "iam"

    def setUp(self):
        super().setUp()
        self.api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY)
        self.addCleanup(self.api.close)
        self.write("ragstack.yaml", STACK.replace("AUTH", self.auth))

    def ask(self, *arguments, status=0, answer=None, **options):
        if answer:
            self.api.answers.append(answer)
        return self.status(status, "ask", "--api", self.api.url, *arguments, **options)


class OutcomeTest(AskCase):
    def test_an_answer_has_its_sources_below(self):
        result = self.plain(self.ask("How many days?", answer=stub_api.answered()))
        self.assertEqual(result.stdout, 'Twenty-five days [1].\n\n[1] Leave (handbook/leave.md)\n'
                                        '    "Everybody has twenty-five days."\n')
        self.assertRegex(result.stderr, r"^\n\d+ ms \(embedding 10, search 3, model 200\), 812 tokens in, 45 out, "
                                        r"\$0\.001200, a-model\n$")
        self.assertEqual(self.api.questions, [{"question": "How many days?"}])

    def test_no_answer_is_no_failure(self):
        result = self.plain(self.ask("What is the price of tea?"))
        self.assertEqual(result.stdout, "The documents do not answer this.\n\nThe nearest of them:\n"
                                        "  Travel (travel.md)\n  Leave (leave.md)\n")

    def test_a_model_that_is_late_leaves_passages(self):
        result = self.plain(self.ask("How many days?", answer=stub_api.passages_only()))
        self.assertIn("did not answer in time", result.stdout)
        self.assertIn("\nLeave (leave.md)\n    Everybody has twenty-five days.\n", result.stdout)

    def test_json_is_the_reply(self):
        document = self.json_of("ask", 0, "ask", "--api", self.api.url, "--json", "Who?")
        self.assertTrue(document["no_answer"])
        self.api.answers.append(stub_api.answered())
        document = self.json_of("ask", 0, "ask", "--api", self.api.url, "--json", "How many days?")
        self.assertEqual(document["citations"][0]["document"], "leave.md")

    def test_nothing_in_it_steers_a_terminal(self):
        evil = stub_api.answered("Red \x1b[31malert\x07 [1]\nsecond line")
        evil["citations"][0]["quote"] = "bell\x07 \x9b31m"
        evil["citations"][0]["title"] = "\x1b]0;title\x07"
        result = self.plain(self.ask("?", answer=evil))
        self.assertIn("Red \\x1b[31malert\\x07 [1]\nsecond line\n", result.stdout)
        self.assertIn("\\x9b", result.stdout)

    def test_a_terminal_gets_lines_that_fit_it(self):
        self.api.answers.append(stub_api.answered("word " * 60 + "[1]"))
        terminal = cli.Terminal(self.program, "ask", "--no-color", "--api", self.api.url, "Long?", columns=50)
        terminal.read_until("a-model")
        self.assertEqual(terminal.end(), 0)
        lines = terminal.seen.replace("\r", "").split("\n\n")[0].splitlines()
        self.assertGreater(len(lines), 5)
        for line in lines:
            self.assertLessEqual(len(line), 50)

    def test_options_go_along(self):
        self.ask("--filter", "team=legal", "--filter", "year=2026", "--top-k", "3", "Who", "is", "it?")
        self.assertEqual(self.api.questions, [{"question": "Who is it?", "top_k": 3,
                                               "filter": {"team": "legal", "year": "2026"}}])


class AccessTest(AskCase):
    def test_a_wrong_key_is_refused(self):
        result = self.ask("Who?", status=1, env={"AWS_SECRET_ACCESS_KEY": "another"})
        self.assertIn("execute-api:Invoke", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_an_address_with_a_path_is_signed_too(self):
        self.api.close()
        self.api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY, base="/v1 x".replace(" ", "%20"))
        self.ask("Who?")
        self.assertEqual(self.api.requests, ["POST /v1%20x/ask"])

    def test_a_token(self):
        self.write("ragstack.yaml", "stack: demo\nregion: us-east-1\napi: {auth: jwt, jwt: {issuer: "
                   "\"https://login.example.com/\", audience: [a]}}\n")
        self.api.close()
        self.api = stub_api.StubApi(token="t0k3n")
        self.assertIn("RAGSTACK_TOKEN", self.ask("Who?", status=64).stderr)
        self.ask("Who?", env={"RAGSTACK_TOKEN": "t0k3n"})
        self.assertIn("403", self.ask("Who?", status=1, env={"RAGSTACK_TOKEN": "old"}).stderr)

    def test_an_open_api_gets_no_signature(self):
        self.write("ragstack.yaml", STACK.replace("AUTH", "none"))
        self.api.close()
        self.api = stub_api.StubApi()
        self.ask("Who?", env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})


class RefusedTest(AskCase):
    def test_what_the_api_says_is_told(self):
        busy = stub_api.problem(429, "Too Many Requests", "all models are throttled", **{"Retry-After": "7"})
        result = self.ask("Who?", status=1, answer=busy)
        self.assertIn("429: all models are throttled", result.stderr)
        result = self.ask("Who?", status=65, answer=stub_api.problem(400, "Bad Request", "the question is too long"))
        self.assertIn("the question is too long", result.stderr)
        result = self.ask("Who?", status=1, answer=(503, {}, {"message": "Service Unavailable"}))
        self.assertIn("503: Service Unavailable; `ragstack logs` says why", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_another_server_is_told(self):
        for body in (b"", b"<html>", b"{}", b"[]"):
            with self.subTest(body):
                result = self.ask("Who?", status=1, answer=(200, {"Content-Type": "text/html"}, body))
                self.assertEqual(result.stdout, "")
                self.assertIn(f"{self.api.url} is no API of ragstack", result.stderr)
        result = self.ask("Who?", status=1, answer=(502, {"Content-Type": "text/html"}, b"<html>"))
        self.assertIn("502: no reason given", result.stderr)

    def test_bad_input(self):
        for words, part in ((["ask"], "usage: ragstack ask"), (["ask", " "], "empty question"),
                            (["ask", "--top-k", "0", "?"], "from 1 to 50"), (["ask", "--top-k", "x", "?"], "\"x\""),
                            (["ask", "--filter", "=a", "?"], "KEY=VALUE"), (["ask", "--api", "host", "?"], "no URL"),
                            (["ask", "--api", "http://h/?x", "?"], "without ?")):
            with self.subTest(words):
                self.assertIn(part, self.status(64, *words).stderr)
        self.assertEqual(self.api.requests, [])


class FoundTest(cli.CloudCase):
    def test_a_stack_that_is_not_there_is_told(self):
        self.assertIn("`ragstack up` makes it", self.status(1, "ask", "Who?").stderr)


if __name__ == "__main__":
    unittest.main()
