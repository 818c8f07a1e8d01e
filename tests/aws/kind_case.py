"""One kind through its life, by a table: created, unchanged, each field changed, taken out, drifted, deleted.

A suite for a kind says what it is made with and what can change; the tests come from here. The thing is
a free resource with the id `thing` of a stack that is never made as a whole: `--target` picks it.
"""

from __future__ import annotations

import copy
from typing import Any

import yaml

import harness

ID = "thing"


class KindCase:
    """Mixed into harness.TestCase; `base` holds all that the kind requires."""

    kind: str
    base: dict[str, Any] = {}
    # field -> another value; each must change in place
    changes: dict[str, Any] = {}
    # field -> another value that needs a new thing
    replaces: dict[str, Any] = {}
    # what else stands in `resources:`
    others: dict[str, Any] = {}
    file = {"stack": "acme", "region": harness.REGION}

    # -- the program --

    def say(self, props: dict[str, Any] | None, **more: Any) -> None:
        """Writes the stack file; None leaves the thing out."""
        resources = copy.deepcopy(self.others)
        if props is not None:
            resources[ID] = {"kind": self.kind, **props}
        self.write("ragstack.yaml", yaml.safe_dump({**self.file, "resources": resources, **more}))

    def target(self) -> list[str]:
        return ["--target", f"{self.kind}.{ID}"]

    def up(self, *options: str) -> None:
        self.must("up", "--yes", *self.target(), *options)

    def steps(self) -> list[dict[str, Any]]:
        """The plan for the thing alone; what it refers to may have to be made, too."""
        result = self.ragstack("diff", "--json", *self.target())
        self.assertIn(result.status, (0, 2, 3, 4), result)
        steps = result.json["steps"]
        self.assertEqual(result.status == 0, not steps, result)
        return [step for step in steps if step["id"] == ID]

    def assert_settled(self) -> None:
        result = self.ragstack("diff", "--json", *self.target())
        self.assertEqual((result.status, result.json["steps"]), (0, []), result)

    def only_step(self) -> dict[str, Any]:
        steps = self.steps()
        self.assertEqual(len(steps), 1, steps)
        return steps[0]

    def fields(self) -> list[str]:
        """The fields that differ, of the only step."""
        step = self.only_step()
        self.assertEqual(step["action"], "change", step)
        return sorted({row["path"].split("[")[0].split(".")[0] for row in step["differences"]})

    def make(self, **props: Any) -> None:
        self.say({**self.base, **props})
        self.up()
        self.assert_settled()

    def physical_id(self) -> str:
        """As the plan that would delete it has it."""
        self.say(None)
        step = self.only_step()
        self.assertEqual(step["action"], "delete", step)
        return step["physical_id"]

    # -- the tests --

    def test_create_and_nothing_to_do(self) -> None:
        self.say(self.base)
        self.assertEqual(self.only_step()["action"], "create")
        self.up()
        self.assert_settled()

    def test_made_with_everything_at_once(self) -> None:
        self.make(**self.changes)

    def test_each_field_changes_in_place_and_goes_back(self) -> None:
        self.make()
        thing = self.physical_id()
        for field, value in self.changes.items():
            with self.subTest(field=field):
                self.say({**self.base, field: value})
                self.assertEqual(self.fields(), [field])
                self.up()
                self.assert_settled()
                self.assertEqual(self.physical_id(), thing)
                self.say(self.base)
                self.assertEqual(self.fields(), [field])
                self.up()
                self.assert_settled()
        self.assertEqual(self.physical_id(), thing)

    def test_what_cannot_change_is_made_anew(self) -> None:
        for field, value in self.replaces.items():
            with self.subTest(field=field):
                self.gateway.reset(state=True)
                self.make()
                self.say({**self.base, field: value})
                step = self.only_step()
                self.assertEqual(step["action"], "replace", step)
                self.assertIn(field, step["reason"])
                consent = [f"--allow-data-loss={ID}"] if step["loses_data"] else []
                self.up(*consent)
                self.assert_settled()

    def test_tags_follow_the_file(self) -> None:
        self.say(self.base, tags={"team": "search", "stage": "dev"})
        self.up()
        self.assert_settled()
        self.say(self.base, tags={"team": "find"})
        self.assertEqual(self.fields(), ["tags"])
        self.up()
        self.assert_settled()

    def test_taken_out_of_the_file(self) -> None:
        self.make()
        self.say(None)
        step = self.only_step()
        self.assertEqual(step["action"], "delete")
        self.up(*([f"--allow-data-loss={ID}"] if step["loses_data"] else []))
        result = self.ragstack("diff", "--json")
        self.assertNotIn(ID, [row["id"] for row in result.json["steps"]])
