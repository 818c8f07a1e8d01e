"""The reference, printed from the tables."""

import unittest

import cli


class ExplainTest(cli.OfflineCase):
    def setUp(self):
        super().setUp()
        self.tables = self.json_of("explain", 0, "explain", "--json")

    def test_the_list_names_every_key_and_kind(self):
        text = self.plain(self.status(0, "explain")).stdout
        for field in self.tables["stack"]:
            self.assertRegex(text, rf"(?m)^  {field['name']} ")
        for kind in self.tables["kinds"]:
            if "hidden" not in kind["flags"]:
                self.assertRegex(text, rf"(?m)^  {kind['kind']} ")
        self.assertGreaterEqual(len(self.tables["kinds"]), 20)

    def test_every_kind_and_field_is_explained(self):
        for kind in self.tables["kinds"]:
            text = self.status(0, "explain", kind["kind"]).stdout
            self.assertIn(kind["summary"], text)
            for field in kind["fields"]:
                self.assertRegex(text, rf"(?m)^  {field['name']}  ")
                one = self.status(0, "explain", f"{kind['kind']}.{field['name']}").stdout
                self.assertIn(field["type"], one)

    def walk(self, prefix, fields):
        for field in fields:
            path = f"{prefix}{field['name']}"
            text = self.status(0, "explain", path).stdout
            self.assertTrue(text.startswith(f"{path}: "), text)
            self.assertIn(field.get("summary", ""), text)
            self.walk(f"{path}.", field.get("fields", []))

    def test_every_key_is_explained(self):
        self.walk("", self.tables["stack"])

    def test_every_row_says_what_it_is(self):
        def check(where, fields):
            for field in fields:
                self.assertTrue(field.get("summary"), f"{where}.{field['name']} has no summary")
                check(f"{where}.{field['name']}", field.get("fields", []))
        check("stack", self.tables["stack"])
        for kind in self.tables["kinds"]:
            check(kind["kind"], kind["fields"])

    def test_alarms_are_written_out(self):
        whole = self.plain(self.status(0, "explain", "watch.alarms")).stdout
        for alarm in self.tables["alarms"]:
            one = self.status(0, "explain", alarm["key"]).stdout
            for text in (whole, one):
                self.assertRegex(text, rf"(?m)^  {alarm['id']}  ")
                (line,) = [line for line in text.split(f"  {alarm['id']}  ")[1].splitlines()[1:2]]
                self.assertTrue(line.startswith(f"      {alarm['statistic']} of {alarm['namespace']} {alarm['metric']} "), line)
                self.assertIn(f"over {alarm['period_s']} s ", line)
                self.assertIn(f"in {alarm['periods']} period", line)
                self.assertIn(f"({alarm['missing_data']})", line)
        self.assertEqual(self.status(0, "explain", "watch.alarms.errors").stdout.count("  alarm-"), 2)
        self.assertNotIn("alarm-", self.status(0, "explain", "watch").stdout)

    def test_a_misspelt_name(self):
        self.assertIn('did you mean "ec2.vpc"?', self.status(64, "explain", "ec2.vcp").stderr)
        self.assertIn('did you mean "network"?', self.status(64, "explain", "netwrok").stderr)
        self.assertIn('did you mean "zones"?', self.status(64, "explain", "network.zoens").stderr)


if __name__ == "__main__":
    unittest.main()
