"""AWS's own runtime client for node (npm's aws-lambda-ric) as a function behind our Runtime API, beside our handler."""

import os
import pathlib
import subprocess
import sys
import time
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "local"))

import stack  # noqa: E402
from stack import harness  # noqa: E402

CLIENT = "aws-lambda-ric@3.3.0"
HOME = harness.ROOT / "build" / "runtime-client"
INDEX = """
exports.handler = async (event, context) => {
  if (event.crash) process.exit(3);
  if (event.fail) throw new RangeError(event.fail);
  if (event.grow) { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1)); }
  if (event.sleep_ms) await new Promise(done => setTimeout(done, event.sleep_ms));
  if (event.large) return 'x'.repeat(event.large);
  return {event, id: context.awsRequestId, arn: context.invokedFunctionArn, name: context.functionName,
          memory: context.memoryLimitInMB, left_ms: context.getRemainingTimeInMillis()};
};
"""
MEMORY_MB = 300


def install_client():
    """Built once: it brings the sources of its C++ part along."""
    if not (HOME / "node_modules/aws-lambda-ric/dist/rapid-client.node").exists():
        HOME.mkdir(parents=True, exist_ok=True)
        (HOME / "package.json").write_text('{"name": "runtime-client", "version": "1.0.0", "private": true,'
                                           f' "allowScripts": {{"{CLIENT}": true}}}}')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", CLIENT], cwd=HOME, check=True)
    return HOME / "node_modules/aws-lambda-ric/bin/index.mjs"


class RuntimeClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = install_client()
        cls.folder = stack.new_folder(cls)
        cls.process = subprocess.Popen([str(harness.build() / "ragstack"), "supervise", str(cls.folder)])
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.terminate)
        where = cls.folder / "supervisor.json"
        while not where.exists():
            time.sleep(0.05)
        cls.supervisor = stack.Supervisor(where)
        zip_path = cls.folder / "function.zip"
        with zipfile.ZipFile(zip_path, "w") as archive:
            bootstrap = zipfile.ZipInfo("bootstrap")
            bootstrap.external_attr = 0o100755 << 16
            archive.writestr(bootstrap, f'#!/bin/sh\nexport PATH={os.environ["PATH"]}\nexec node {program} "$_HANDLER"\n')
            archive.writestr("index.js", INDEX)
        status, state = cls.supervisor.call("PUT", "/functions/node", {
            "code": str(zip_path), "code_sha256": "node", "handler": "index.handler", "region": "eu-west-1",
            "memory_mb": MEMORY_MB, "timeout_s": 5, "concurrency": 2})
        assert status == 200, state

    def invoke(self, event, status=200):
        found, body = self.supervisor.call("POST", "/functions/node/invoke", event)
        self.assertEqual(found, status, body)
        return body

    def test_an_event_and_its_context(self):
        event = {"question": "Größe \\ \" \u2028", "list": [1, None, {"a": 0.5}]}
        body = self.invoke(event)
        self.assertEqual(body["event"], event)
        self.assertRegex(body["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual((body["arn"], body["name"], body["memory"]),
                         ("arn:aws:lambda:eu-west-1:000000000000:function:node", "node", str(MEMORY_MB)))
        self.assertTrue(3000 < body["left_ms"] <= 5000, body)

    def test_many_events(self):
        for number in range(200):
            self.assertEqual(self.invoke({"number": number})["event"]["number"], number)

    def test_errors_are_its_own(self):
        body = self.invoke({"fail": "out of range"}, 502)
        self.assertEqual((body["errorType"], body["errorMessage"]), ("RangeError", "out of range"))
        self.assertEqual(self.invoke({"after": 1})["event"], {"after": 1})

    def test_it_ends(self):
        body = self.invoke({"crash": True}, 502)
        self.assertEqual(body["errorType"], "Runtime.ExitError")
        self.assertIn("exit status 3", body["errorMessage"])
        self.assertEqual(self.invoke({"after": 2})["event"], {"after": 2})

    def test_it_takes_too_long(self):
        body = self.invoke({"sleep_ms": 20000}, 502)
        self.assertEqual(body["errorType"], "Sandbox.Timedout")
        self.assertIn("timed out after 5.00 seconds", body["errorMessage"])
        self.assertEqual(self.invoke({"after": 3})["event"], {"after": 3})

    def test_it_takes_too_much_memory(self):
        body = self.invoke({"grow": True}, 502)
        self.assertEqual(body["errorType"], "Runtime.OutOfMemory")
        self.assertIn(f"more than its {MEMORY_MB} MB", body["errorMessage"])
        self.assertEqual(self.invoke({"after": 4})["event"], {"after": 4})

    def test_it_answers_too_much(self):
        self.assertEqual(self.invoke({"large": 7 << 20}, 502)["errorType"], "Function.ResponseSizeTooLarge")
        self.assertEqual(self.invoke({"large": 40 << 20}, 502)["errorType"], "Runtime.NoResponse")
        self.assertEqual(self.invoke({"after": 5})["event"], {"after": 5})


if __name__ == "__main__":
    unittest.main()
