"""open: the page on loopback, what it forwards, and who it refuses."""

import concurrent.futures
import http.client
import json
import signal
import socket
import unittest
import urllib.parse

import cli
import harness
import stub_api

STACK = "stack: demo\nregion: us-east-1\napi: {auth: iam}\n"


class OpenCase(cli.OfflineCase):
    def setUp(self):
        super().setUp()
        self.api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY)
        self.addCleanup(self.api.close)
        self.write("ragstack.yaml", STACK)

    def start(self, *arguments, **options):
        process = self.program.start("open", "--api", self.api.url, *arguments, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        url = process.stdout.readline().strip()
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/[0-9a-f]{32}/$")
        self.place = urllib.parse.urlsplit(url)
        return process

    def request(self, method, path, body=None, **headers):
        """Status, headers and body; headers with a value of None are left out."""
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=30)
        given = {"Host": self.place.netloc, "Content-Type": "application/json",
                 **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.putrequest(method, path, skip_host=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        data = b"" if body is None else json.dumps(body).encode()
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        return reply.status, reply.headers, text

    def ours(self, method, path, body=None, **headers):
        return self.request(method, self.place.path + path, body, **headers)


class PageTest(OpenCase):
    def test_the_page_and_its_headers(self):
        self.start()
        status, headers, text = self.ours("GET", "")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertEqual(text, (harness.ROOT / "templates" / "page.html").read_bytes())
        self.assertEqual(headers["Content-Security-Policy"], "frame-ancestors 'none'")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(self.api.requests, [])

    def test_it_ends_by_ctrl_c(self):
        process = self.start()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, stderr)
        self.assertIn("Ctrl-C", stderr)

    def test_each_run_has_another_secret(self):
        self.start()
        first = self.place.path
        self.start()
        self.assertNotEqual(self.place.path, first)

    def test_json(self):
        process = self.program.start("open", "--json", "--api", self.api.url)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        text = "".join(iter(process.stdout.readline, "}\n")) + "}"
        self.assertEqual(json.loads(text)["schema"], 1)

    def test_a_port_of_ones_own(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            result = self.status(1, "open", "--api", self.api.url, "--port", str(port))
            self.assertIn(f"cannot listen on 127.0.0.1:{port}", result.stderr)
        self.start("--port", str(port))
        self.assertEqual(self.place.port, port)
        for said in ("x", "-1", "65536"):
            self.assertIn("no port", self.status(64, "open", "--api", self.api.url, f"--port={said}").stderr)


class ForwardTest(OpenCase):
    def test_questions_are_signed(self):
        self.start()
        self.api.answers.append(stub_api.answered())
        status, headers, text = self.ours("POST", "ask", {"question": "How many days?"}, Origin=f"http://{self.place.netloc}",
                                          Sec_Fetch_Site="same-origin")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(json.loads(text)["answer"], "Twenty-five days [1].")
        self.assertEqual(self.api.questions, [{"question": "How many days?"}])

    def test_documents_too(self):
        self.start()
        document = {"id": "a b/c.md", "title": "C", "text": "text"}
        self.assertEqual(self.ours("POST", "documents", {"documents": [document]})[0], 200)
        status, _, text = self.ours("GET", "documents?limit=5&after=a%20")
        self.assertEqual([row["id"] for row in json.loads(text)["documents"]], ["a b/c.md"])
        self.assertEqual(self.ours("DELETE", "documents/a%20b%2Fc.md")[0], 204)
        self.assertEqual(self.ours("DELETE", "documents/a%20b%2Fc.md")[0], 404)

    def test_what_the_api_says_is_passed_on(self):
        self.start()
        self.api.answers.append(stub_api.problem(429, "Too Many Requests", "slowly", **{"Retry-After": "7"}))
        status, headers, text = self.ours("POST", "ask", {"question": "?"})
        self.assertEqual((status, headers["Retry-After"], headers["Content-Type"]),
                         (429, "7", "application/problem+json"))
        self.assertEqual(json.loads(text)["detail"], "slowly")

    def test_many_at_once(self):
        self.start()
        self.api.delay_s = 0.3
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda n: self.ours("POST", "ask", {"question": f"{n}?"})[0], range(8)))
        self.assertEqual(replies, [200] * 8)
        self.assertGreater(self.api.most_under_way, 3)

    def test_an_api_that_is_away_is_told(self):
        self.start()
        self.api.close()
        status, _, text = self.ours("POST", "ask", {"question": "?"})
        self.assertEqual(status, 502)
        self.assertIn(self.api.url.split("//")[1], json.loads(text)["detail"])

    def test_nothing_else_is_forwarded(self):
        self.start()
        for method, path in (("GET", "ask"), ("PUT", "documents"), ("DELETE", "documents"), ("POST", "health"),
                             ("GET", "openapi.json"), ("GET", "documents/x"), ("POST", "askew")):
            with self.subTest(method=method, path=path):
                self.assertEqual(self.ours(method, path)[0], 404)
        self.assertEqual(self.api.requests, [])


class RefusedTest(OpenCase):
    def test_without_the_secret(self):
        self.start()
        secret = self.place.path
        other = secret.replace(secret[1], "0" if secret[1] != "0" else "1")
        for path in ("/", "/ask", other, other + "ask", secret[:-1], secret[:-2] + "/", "//" + secret):
            with self.subTest(path):
                status, _, text = self.request("POST" if path.endswith("ask") else "GET", path, {"question": "?"})
                self.assertEqual(status, 403)
                self.assertNotIn(secret.strip("/").encode(), text)

    def test_other_pages_and_names(self):
        self.start()
        port = self.place.port
        for headers in ({"Host": f"evil.example:{port}"}, {"Host": None}, {"Host": "127.0.0.1"},
                        {"Host": f"127.0.0.1:{port}.evil.example"}, {"Origin": "https://evil.example"},
                        {"Origin": "null"}, {"Origin": f"http://127.0.0.1:{port + 1}"},
                        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):
            with self.subTest(headers):
                status, reply, _ = self.ours("POST", "ask", {"question": "?"}, **headers)
                self.assertIn(status, (400, 403))
                self.assertNotIn("Access-Control-Allow-Origin", reply)
        self.assertEqual(self.ours("GET", "", Host=f"localhost:{port}")[0], 200)
        self.assertEqual(self.api.requests, [])

    def test_it_listens_on_loopback_alone(self):
        self.start()
        addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in addresses - {"127.0.0.1"}:
            if not address.startswith("127."):
                with self.assertRaises(OSError):
                    socket.create_connection((address, self.place.port), 2).close()


if __name__ == "__main__":
    unittest.main()
