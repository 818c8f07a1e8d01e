"""Who is who, without a state file: neighbours in one account, each touching its own alone.

`acme` with the id `docs-bin` beside `acme-docs` with `bin` (the same text, joined), two environments,
two regions. What each makes is known to the test by its tags; nothing else may ever move.
"""

import shutil
import unittest

import harness


# A stack with one of each kind that is found by name, and little else to wait for.
FREE = """
resources:
  {id}: {{kind: logs.group, retention_days: 7}}
  {id}-role:
    kind: iam.role
    assume: {{Version: "2012-10-17", Statement: [{{Effect: Allow, Action: "sts:AssumeRole",
              Principal: {{Service: lambda.amazonaws.com}}}}]}}
  {id}-topic: {{kind: sns.topic}}
  {id}-bucket: {{kind: s3.bucket}}
  {id}-vpc: {{kind: ec2.vpc, cidr: 10.9.0.0/16}}
  {id}-group: {{kind: ec2.security_group, vpc: "${{{id}-vpc.id}}", description: one}}
"""
KINDS = ("", "-role", "-topic", "-bucket", "-vpc", "-group")


def free_file(stack, identifier, region="us-east-1", environments=""):
    return f"stack: {stack}\nregion: {region}\n{environments}" + FREE.format(id=identifier)


class IdentityTest(harness.TestCase):
    def options(self, name, identifier, environment=None):
        """The command line for the free resources of one file alone."""
        options = ["-f", f"{name}.yaml"]
        for kind in KINDS:
            options += ["--target", identifier + kind]
        return options + (["--env", environment] if environment else [])

    def everything(self, region="us-east-1"):
        """All that exists, by what no neighbour may change: names, ids, tags."""
        ec2, iam = self.client("ec2", region=region), self.client("iam")
        logs, s3 = self.client("logs", region=region), self.client("s3", region=region)
        sns = self.client("sns", region=region)

        def tags(rows, key="Key", value="Value"):
            return tuple(sorted((row[key], row[value]) for row in rows))

        found = {}
        for row in ec2.describe_vpcs()["Vpcs"]:
            found["vpc", row["VpcId"]] = (row["CidrBlock"], tags(row.get("Tags", [])))
        for row in ec2.describe_security_groups()["SecurityGroups"]:
            found["group", row["GroupId"]] = (row["GroupName"], tags(row.get("Tags", [])))
        for row in iam.list_roles()["Roles"]:
            found["role", row["RoleName"]] = (row["Path"], tags(iam.list_role_tags(RoleName=row["RoleName"])["Tags"]))
        for row in logs.describe_log_groups()["logGroups"]:
            group = logs.list_tags_log_group(logGroupName=row["logGroupName"])["tags"]
            found["logs", row["logGroupName"]] = (row.get("retentionInDays"), tuple(sorted(group.items())))
        for row in sns.list_topics()["Topics"]:
            found["topic", row["TopicArn"]] = tags(sns.list_tags_for_resource(ResourceArn=row["TopicArn"])["Tags"])
        for row in s3.list_buckets()["Buckets"]:
            if row["Name"].startswith("ragstack-"):  # the ledger is everybody's
                continue
            try:
                found["bucket", row["Name"]] = tags(s3.get_bucket_tagging(Bucket=row["Name"])["TagSet"])
            except (s3.exceptions.ClientError, RecursionError):  # it stands in another region: told by name alone
                found["bucket", row["Name"]] = ()
        return found

    def assert_untouched(self, before, after):
        for key, row in before.items():
            self.assertEqual(after.get(key), row, key)

    def take_turns(self, ours, theirs, identifier, region="us-east-1"):
        """`ours` lives its whole life while `theirs` stands, and moves nothing of it."""
        self.must("up", "--yes", *theirs)
        before = self.everything(region)
        self.must("up", "--yes", *ours)
        self.assert_untouched(before, self.everything(region))
        for options in (ours, theirs):
            self.must("diff", *options)
        name = ours[1]
        text = (self.folder / name).read_text()
        self.write(name, text.replace("retention_days: 7", "retention_days: 30"))
        result = self.ragstack("diff", "--json", *ours)
        self.assertEqual(result.status, 2, result)
        self.assertEqual([step["id"] for step in result.json["steps"]], [identifier])
        self.must("up", "--yes", *ours)
        self.assert_untouched(before, self.everything(region))
        self.must("diff", *theirs)
        self.must("down", "--yes", *ours)
        self.assertEqual(self.everything(region), before)
        self.must("diff", *theirs)

    def test_names_that_read_the_same(self):
        self.write("one.yaml", free_file("acme", "docs-bin"))
        self.write("two.yaml", free_file("acme-docs", "bin"))
        self.take_turns(self.options("one", "docs-bin"), self.options("two", "bin"), "docs-bin")

    def test_the_other_way_round(self):
        self.write("one.yaml", free_file("acme", "docs-bin"))
        self.write("two.yaml", free_file("acme-docs", "bin"))
        self.take_turns(self.options("two", "bin"), self.options("one", "docs-bin"), "bin")

    def test_two_environments(self):
        self.write("app.yaml", free_file("acme", "bin", environments="environments: {dev: {}, prod: {}}\n"))
        shutil.copy(self.folder / "app.yaml", self.folder / "prod.yaml")
        self.take_turns(self.options("app", "bin", "dev"), self.options("prod", "bin", "prod"), "bin")

    def test_two_regions(self):
        """Roles are one space over all regions; the rest is not."""
        self.write("east.yaml", free_file("acme", "bin"))
        self.write("west.yaml", free_file("acme", "bin", region="us-west-2"))
        self.take_turns(self.options("east", "bin"), self.options("west", "bin"), "bin")
        self.must("down", "--yes", *self.options("west", "bin"))
        self.take_turns(self.options("west", "bin"), self.options("east", "bin"), "bin", region="us-west-2")

    def test_nothing_local_is_needed(self):
        """Another machine, another folder, no ledger: the diff is empty all the same."""
        self.write("app.yaml", free_file("acme", "bin"))
        options = self.options("app", "bin")
        self.must("up", "--yes", *options)
        text = (self.folder / "app.yaml").read_text()
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        s3 = self.client("s3")
        for row in s3.list_buckets()["Buckets"]:
            if row["Name"].startswith("ragstack-"):
                for entry in s3.list_objects_v2(Bucket=row["Name"]).get("Contents", []):
                    s3.delete_object(Bucket=row["Name"], Key=entry["Key"])
                s3.delete_bucket(Bucket=row["Name"])
        (self.folder / ".home").mkdir()
        self.write("app.yaml", text)
        self.must("diff", *options)

    def test_what_bears_our_name_is_not_ours(self):
        """Names can be guessed; tags decide. Nothing foreign is ever changed, and the way out is told."""
        self.write("app.yaml", free_file("acme", "bin"))
        options = self.options("app", "bin")
        self.must("up", "--yes", *options)
        logs = self.client("logs")
        name = next(row["logGroupName"] for row in logs.describe_log_groups()["logGroups"] if "bin" in row["logGroupName"])
        logs.delete_log_group(logGroupName=name)
        logs.create_log_group(logGroupName=name, tags={"owner": "somebody else"})
        result = self.ragstack("up", "--yes", *options)
        self.assertNotEqual(result.status, 0, result)
        self.assertIn("does not belong to this stack", result.stdout + result.stderr)
        self.assertIn(f"{name} exists, but", result.stdout + result.stderr)
        self.assertIn('give "bin" another id', result.stdout + result.stderr)
        self.must("down", "--yes", *options)
        self.assertEqual(logs.list_tags_log_group(logGroupName=name)["tags"], {"owner": "somebody else"})

    def test_a_replacement_whose_name_is_taken_takes_the_next(self):
        self.write("app.yaml", free_file("acme", "bin"))
        options = self.options("app", "bin")
        self.must("up", "--yes", *options)
        ec2 = self.client("ec2")

        def groups():
            rows = ec2.describe_security_groups(Filters=[{"Name": "tag:ragstack:id", "Values": ["bin-group"]}])
            return [(row["GroupName"], row["Description"]) for row in rows["SecurityGroups"]]

        (first, _), = groups()
        self.write("app.yaml", (self.folder / "app.yaml").read_text().replace("description: one", "description: two"))
        result = self.ragstack("diff", *options)
        self.assertIn("description cannot change in place", result.stdout)
        self.must("up", "--yes", *options)
        self.assertEqual(groups(), [(f"{first}-2", "two")])
        self.must("diff", *options)


if __name__ == "__main__":
    unittest.main()
