"""The chat page in a real browser, against an API that answers as it is told.

WEB_SCREENSHOTS=FOLDER keeps pictures of it.
"""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import re
import sys
import tempfile
import threading
import unittest

import browser

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("cli", "aws")]

import harness  # noqa: E402
import stub_api  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "templates" / "page.html"

PASSAGE = ("Ferien gibt es auch: größer als anderswo.\n\nEverybody has twenty-five days of vacation a year. "
           "They are taken in the year in which they arise.\n\nWhat is left on 31 March is lost.")
QUOTE = "Everybody has twenty-five days of vacation a year."
USAGE = {"input_tokens": 812, "output_tokens": 45, "embed_tokens": 9, "usd": 0.00123, "model": "a-model"}
TIMES = {"embed": 12.3, "search": 4.5, "generate": 1130.2, "total": 1150}


def answered():
    start = 100 + len(PASSAGE[:PASSAGE.index(QUOTE)].encode())
    leave = {"number": 1, "document": "leave.md", "title": "Leave", "source": "handbook/leave.md", "quote": QUOTE,
             "heading": "Vacation", "start": start, "end": start + len(QUOTE.encode()), "passage": PASSAGE,
             "passage_start": 100}
    web = {"number": 2, "document": "pay.md", "title": "Pay <b>day</b>", "source": "https://example.com/pay",
           "quote": "On the 25th.", "start": 0, "end": 12}
    return {"outcome": "answered", "answer": "You have 25 days [1], paid as usual [1, 2]. See [9].\n\nThat is all.",
            "no_answer": False, "citations": [leave, web], "timings_ms": TIMES, "usage": USAGE}


NO_ANSWER = {"outcome": "no_answer", "answer": "", "no_answer": True, "citations": [],
             "nearest": [{"document": "travel.md", "title": "Travel", "similarity": 0.3}], "timings_ms": TIMES,
             "usage": {**USAGE, "usd": 0}}
LATE = {"outcome": "passages_only", "answer": "", "no_answer": False, "citations": [],
        "passages": [{"document": "leave.md", "title": "Leave", "text": PASSAGE, "start": 0, "end": len(PASSAGE.encode())}],
        "timings_ms": TIMES, "usage": USAGE}


class Site(http.server.ThreadingHTTPServer):
    """The page below a folder, as `ragstack open` serves it, and POST ask beside it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SiteRequest)
        self.url = f"http://127.0.0.1:{self.server_port}/token/"
        self.answers, self.questions, self.hold = [], [], threading.Event()
        self.hold.set()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, *_arguments):
        """A browser that was stopped does not read its reply."""


class SiteRequest(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass

    def send(self, status, content_type, body, headers=()):
        self.send_response(status)
        for name, value in (("Content-Type", content_type), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/token/":
            self.send(200, "text/html; charset=utf-8", PAGE.read_bytes())
        else:
            self.send(404, "text/plain", b"")

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.questions.append((self.path, question))
        self.server.hold.wait(30)
        status, body, headers = self.server.answers.pop(0)
        self.send(status, "application/json", json.dumps(body).encode(), headers)


class PageCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.server_close)
        self.addCleanup(self.site.shutdown)
        self.addCleanup(self.site.hold.set)

    def open(self, **options):
        self.page = self.browser.open(self.site.url, **options)
        self.page.wait("document.activeElement.id === 'question'")
        return self.page

    def ask(self, question, reply, status=200, headers=()):
        self.site.answers.append((status, reply, headers))
        before = self.page.run("document.querySelectorAll('article').length")
        self.page.type(question)
        self.page.key("Enter")
        self.page.wait(f"document.querySelectorAll('article:not([aria-busy])').length === {before + 1}")

    def picture(self, name):
        folder = os.environ.get("WEB_SCREENSHOTS")
        if folder:
            self.page.screenshot(pathlib.Path(folder) / f"{name}.png")


class AnswerTest(PageCase):
    def test_an_answer_opens_its_passages(self):
        page = self.open()
        self.ask("How many days of vacation do I have?", answered())
        self.assertEqual(self.site.questions, [("/token/ask", {"question": "How many days of vacation do I have?"})])
        text = page.text()
        self.assertIn("You have 25 days 1, paid as usual 12. See [9].\n\nThat is all.", text)
        self.assertIn("Pay <b>day</b>", text)
        self.assertRegex(text, r"\d\.\d\d s · embedding 12 ms · search 5 ms · model 1,130 ms · 812 \+ 45 tokens · "
                               r"\$0\.0012 · a-model")
        self.picture("answer")
        page.click(".cite")
        page.wait("document.getElementById('sheet').open")
        self.assertEqual(page.run("document.querySelector('mark').textContent"), QUOTE)
        self.assertEqual(page.run("document.getElementById('passage').textContent"), PASSAGE)
        self.assertIn("handbook/leave.md · Vacation", page.text())
        self.picture("passage")
        page.key("Escape")
        page.wait("!document.getElementById('sheet').open")
        self.assertEqual(page.focused(), "cite")
        self.assertEqual(page.complaints(), [])

    def test_a_citation_without_its_passage_shows_the_quote(self):
        page = self.open()
        self.ask("When is pay day?", answered())
        page.click(".sources li:nth-child(2) .open")
        page.wait("document.getElementById('sheet').open")
        self.assertEqual(page.run("document.getElementById('passage').textContent"), "On the 25th.")
        self.assertEqual(page.run("document.querySelector('#sheet-where a').href"), "https://example.com/pay")
        page.click("#close")
        page.wait("!document.getElementById('sheet').open")

    def test_broken_lines_flow(self):
        page, reply = self.open(), answered()
        text = ("# A heading that is longer than sixty characters, and stays a line of its own\nText that was broken for "
                "the eye, by whoever wrote it with an editor\nflows again.\nShort lines stay.\n| a table's row that is "
                "longer than sixty characters | stays | a | row |\n| next | row |\n")
        reply["citations"] = [{**reply["citations"][0], "passage": text, "passage_start": 0, "quote": "flows again.",
                               "start": text.index("flows"), "end": text.index("flows") + 12}]
        self.ask("?", reply)
        page.click(".cite")
        page.wait("document.getElementById('sheet').open")
        self.assertEqual(page.run("document.getElementById('passage').textContent"),
                         text.replace("editor\nflows", "editor flows"))
        self.assertEqual(page.run("document.querySelector('mark').textContent"), "flows again.")

    def test_no_answer_is_told_as_such(self):
        page = self.open()
        self.ask("What is the meaning of life?", NO_ANSWER)
        self.assertIn("The documents do not answer this.\n\nThe nearest of them:", page.text())
        self.assertIn("Travel", page.text())
        self.assertFalse(page.run("document.querySelector('.answer').classList.contains('trouble')"))
        self.picture("no-answer")

    def test_passages_alone(self):
        page = self.open()
        self.ask("Slow?", LATE)
        self.assertIn("did not answer in time", page.text())
        page.click(".open")
        page.wait("document.getElementById('sheet').open")
        self.assertEqual(page.run("document.querySelector('mark').textContent"), PASSAGE)

    def test_what_others_wrote_stays_text(self):
        page = self.open()
        evil = answered()
        evil["answer"] = "<img src=x onerror=\"document.title='owned'\"> [1]"
        evil["citations"][0].update(title="<script>document.title='owned'</script>", source="javascript:alert(1)")
        self.ask("?", evil)
        page.click(".cite")
        page.wait("document.getElementById('sheet').open")
        self.assertEqual(page.run("[document.images.length, document.title, document.querySelectorAll('dialog a').length]"),
                         [0, "Ask the documents", 0])


class TroubleTest(PageCase):
    def test_too_many_questions(self):
        page = self.open()
        self.ask("Who?", {"title": "Too Many Requests"}, 429, (("Retry-After", "2"),))
        self.assertIn("Too many questions just now.", page.text())
        self.assertTrue(page.run("document.querySelector('.again').disabled"))
        self.assertRegex(page.text(), r"Ask again in [12] s")
        self.picture("busy")
        page.wait("!document.querySelector('.again').disabled")
        self.site.answers.append((200, answered(), ()))
        page.click(".again")
        page.wait("document.querySelector('.text .cite')")
        self.assertEqual(len(self.site.questions), 2)

    def test_what_the_api_says_is_told(self):
        page = self.open()
        self.ask("Who?", {"title": "Bad Request", "detail": "the question is too long"}, 400)
        self.assertIn("could not be answered (400). the question is too long", page.text())
        self.ask("Who?", {"message": "Forbidden"}, 403)
        self.assertIn("You may not ask here. Forbidden", page.text())
        self.ask("Who?", None, 502)
        self.assertIn("could not be answered (502)", page.text())

    def test_no_connection(self):
        page = self.open()
        self.site.shutdown()
        self.site.server_close()
        page.type("Anybody there?")
        page.key("Enter")
        page.wait("document.querySelector('.again')")
        self.assertIn("There is no connection.", page.text())

    def test_a_question_can_be_stopped(self):
        page = self.open()
        self.site.hold.clear()
        self.site.answers.append((200, answered(), ()))
        page.type("Slow?")
        page.key("Enter")
        page.wait("document.querySelector('.waiting')")
        self.assertEqual(page.run("document.getElementById('send').textContent"), "Stop")
        self.picture("waiting")
        page.click("#send")
        page.wait("document.querySelector('.again')")
        self.assertIn("Stopped.", page.text())


class ReachTest(PageCase):
    """Keyboard, screen reader, phone, dark, and what the page asks of the network."""

    def test_a_keyboard_is_enough(self):
        page = self.open()
        page.type("First")
        page.key("Enter", shift=True)
        page.type("second")
        self.assertEqual(page.run("document.getElementById('question').value"), "First\nsecond")
        self.ask("", answered())
        self.assertEqual(page.focused(), "question")
        for _ in range(3):  # over the page's end to the first citation
            page.run("document.querySelector('.cite').focus()")
        page.key("Enter")
        page.wait("document.getElementById('sheet').open")
        self.assertTrue(page.run("document.getElementById('sheet').contains(document.activeElement)"))
        page.key("Tab")
        self.assertTrue(page.run("document.getElementById('sheet').contains(document.activeElement)"))

    def test_a_screen_reader_is_told(self):
        page = self.open()
        self.assertEqual(page.names("textbox"), ["Your question"])
        self.assertEqual(page.run("document.getElementById('status').getAttribute('aria-live')"), "polite")
        self.ask("How many days?", answered())
        self.assertEqual(page.names("article"), ["How many days?"])
        self.assertIn("Answer: You have 25 days , source 1", page.run("document.getElementById('status').textContent"))
        self.assertIn("Source 1: Leave", page.names("button"))
        self.assertIn("Ask", page.names("button"))
        page.click(".cite")
        page.wait("document.getElementById('sheet').open")
        self.assertEqual(page.names("dialog"), ["Leave"])

    def test_a_phone_needs_no_sideways_scrolling(self):
        page = self.open()
        page.size(360, 640, phone=True)
        long = answered()
        long["answer"] = "A" * 300 + " [1] " + long["answer"]
        self.ask("Donaudampfschifffahrtsgesellschaft" * 4, long)
        self.assertLessEqual(page.run("document.documentElement.scrollWidth"), 360)
        self.picture("phone")
        page.click(".cite")
        page.wait("document.getElementById('sheet').open")
        self.assertLessEqual(page.run("document.getElementById('sheet').getBoundingClientRect().right"), 360)
        self.picture("phone-passage")

    def contrast(self, selector):
        """By WCAG's formula, of a text on what lies behind it."""
        colours = self.page.run(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)});
            let b = e; while (getComputedStyle(b).backgroundColor === "rgba(0, 0, 0, 0)") b = b.parentElement;
            return [getComputedStyle(e).color, getComputedStyle(b).backgroundColor]; }})()""")

        def luminance(colour):
            parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
            linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

        light, dark = sorted(map(luminance, colours), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    def test_dark_and_light_can_be_read(self):
        papers = set()
        for dark in (False, True):
            self.open(dark=dark)
            self.ask("How many days?", answered())
            self.ask("Too many", {"detail": "slowly"}, 429)
            papers.add(self.page.run("getComputedStyle(document.body).backgroundColor"))
            self.picture("dark" if dark else "light")
            for selector in ("h1", "h2", ".text", ".small", ".cite", ".open", ".from", ".send", ".number", ".trouble .text"):
                with self.subTest(dark=dark, selector=selector):
                    self.assertGreaterEqual(self.contrast(selector), 4.5)
        self.assertEqual(len(papers), 2)

    def test_it_asks_nobody_else(self):
        page = self.open()
        self.ask("How many days?", answered())
        self.assertEqual({url for url in page.requests() if not url.startswith("data:")},
                         {self.site.url, self.site.url + "ask"})

    def test_the_policy_holds(self):
        page = self.open()
        self.assertEqual(page.complaints(), [])
        page.run("document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned = 1'}))")
        page.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.com/x.png\">')")
        self.assertEqual(page.run("window.owned === undefined"), True)
        self.assertTrue(any("Content Security Policy" in text for text in page.complaints()), page.complaints())


class OpenTest(PageCase):
    """By `ragstack open`, which signs for the browser."""

    def test_a_question_through_it(self):
        api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY)
        self.addCleanup(api.close)
        folder = tempfile.TemporaryDirectory(prefix="ragstack-test-")
        self.addCleanup(folder.cleanup)
        (pathlib.Path(folder.name) / "ragstack.yaml").write_text("stack: demo\nregion: us-east-1\n")
        process = harness.Program(pathlib.Path(folder.name), "http://127.0.0.1:9").start("open", "--api", api.url)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        api.answers.append(stub_api.answered())
        page = self.page = self.browser.open(process.stdout.readline().strip())
        page.wait("document.activeElement.id === 'question'")
        page.type("How many days?")
        page.key("Enter")
        page.wait("document.querySelector('.text .cite')")
        self.assertIn("Twenty-five days 1.", page.text())
        self.assertEqual(page.complaints(), [])
        self.assertEqual(api.questions, [{"question": "How many days?"}])


class FileTest(unittest.TestCase):
    def test_the_policy_names_the_style_and_the_script_as_they_are(self):
        text = PAGE.read_text()
        for tag in ("style", "script"):
            (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S)
            digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            self.assertIn(f"{tag}-src 'sha256-{digest}'", text)

    def test_it_is_one_small_file(self):
        self.assertLess(PAGE.stat().st_size, 20000)
        self.assertNotRegex(PAGE.read_text(), r"(?:src|href)=\"(?!data:)")


if __name__ == "__main__":
    unittest.main()
