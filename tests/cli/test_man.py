"""The man page: every command and option is in it, and groff has nothing against it."""

import re
import shutil
import subprocess
import unittest

import cli
from test_help import commands


class ManTest(cli.OfflineCase):
    def setUp(self):
        super().setUp()
        self.page = self.status(0, "man").stdout

    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_groff_has_no_warning(self):
        run = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=self.page, text=True, capture_output=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_man_shows_it(self):
        path = self.write("ragstack.1", self.page)
        run = subprocess.run(["man", "--warnings", "-l", str(path)], text=True, capture_output=True,
                             env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        text = re.sub(".\b", "", run.stdout)
        help_text = self.status(0, "--help").stdout
        for name in commands(help_text):
            self.assertRegex(text, rf"(?m)^   {name}\b")
            for option in re.findall(r"--[a-z-]+", self.status(0, name, "--help").stdout.split("Options:")[1]):
                self.assertIn(option, text)
        for code in ("65", "130"):
            self.assertRegex(text, rf"(?m)^ +{code}\b")


if __name__ == "__main__":
    unittest.main()
