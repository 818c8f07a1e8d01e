"""The sweep: a run of the program is struck at its Nth changing call, and the next runs must go on.

A world is a copy of a gateway, so that each case begins where it has to without being built up
again: from nothing for `up`, from a whole stack for `down`.
"""

from __future__ import annotations

import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import unittest
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "aws"))

import harness  # noqa: E402

PATIENCE_S = 120  # with a run
SPARE_CALLS = 5  # a run may need a call more or less than the one that was counted
KILL, LOSE = ("kill-before", "kill-after"), ("reset-before", "reset-after", "internal-after")


class Broken(Exception):
    """A case that did not end as it must; says which, and what the program printed."""


@dataclass(frozen=True)
class Case:
    command: str
    kind: str
    at: int  # which of the changing calls

    def __str__(self) -> str:
        return f"{self.command}, {self.kind} {self.at}"


@dataclass(frozen=True)
class Stack:
    name: str  # of the file in stacks/
    region: str
    options: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()  # what `down` wants to hear

    def __str__(self) -> str:
        return " ".join((self.name, *self.options))


STACKS = (
    Stack("rag", "us-east-1"),
    Stack("production", "eu-central-1", ("--env", "dev")),
    Stack("production", "eu-central-1", ("--env", "prod"), ("--allow-data-loss=database",)),
)


def without(inventory: dict[str, int], word: str) -> dict[str, int]:
    return {key: count for key, count in inventory.items() if word not in key}


def steady(inventory: dict[str, int]) -> dict[str, int]:
    """Without what counts how often something was made."""
    kept = {key: count for key, count in inventory.items() if "snapshot" not in key and not key.startswith("version ")}
    return {key.rpartition(": ")[0] if key.startswith("alias ") else key: count for key, count in kept.items()}


def difference(found: dict[str, int], wanted: dict[str, int]) -> list[str]:
    return [f"{key}: {found.get(key, 0)} instead of {wanted.get(key, 0)}"
            for key in sorted(set(found) | set(wanted)) if found.get(key, 0) != wanted.get(key, 0)]


class Sweep:
    """One stack: what a clean run leaves, and the cases."""

    def __init__(self, gateway: harness.Gateway, stack: Stack) -> None:
        self.prepare(gateway, stack)
        self.warm_up()
        self.empty = gateway.inventory(stack.region)
        self.whole_world = gateway.copy()
        self.must(self.whole_world, "up")
        self.calls = {"up": len(self.whole_world.changing_calls())}
        self.whole = self.whole_world.inventory(stack.region)
        with self.world(self.whole_world) as world:
            world.reset()
            self.must(world, "down")
            self.calls["down"] = len(world.changing_calls())
            self.left = world.inventory(stack.region)
        self.expect_gone(self.left, "a clean down")

    @classmethod
    def without_a_world(cls, gateway: harness.Gateway, stack: Stack) -> Sweep:
        """Only what runs of the program need."""
        one = cls.__new__(cls)
        one.prepare(gateway, stack)
        return one

    def prepare(self, gateway: harness.Gateway, stack: Stack) -> None:
        self.gateway, self.stack = gateway, stack
        self.whole_world: harness.Gateway | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="ragstack-torture-")
        self.folder = pathlib.Path(self._folder.name)
        shutil.copytree(harness.ROOT / "stacks", self.folder / "stacks")
        shutil.copytree(harness.ROOT / "templates", self.folder / "templates")
        with zipfile.ZipFile(self.folder / "handler.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0)), "#!/bin/sh\n")

    def warm_up(self) -> None:
        """The emulator loads each service at its first call: once, and not again in every copy."""
        self.must(self.gateway, "up")
        self.must(self.gateway, "down")
        self.gateway.reset(state=True)

    def close(self) -> None:
        if self.whole_world:
            self.whole_world.stop()
        self._folder.cleanup()

    # -- runs --------------------------------------------------------------------------------------

    @contextmanager
    def world(self, origin: harness.Gateway | None = None) -> Iterator[harness.Gateway]:
        copy = (origin or self.gateway).copy()
        try:
            yield copy
        finally:
            copy.stop()

    def program(self, world: harness.Gateway) -> harness.Program:
        program = harness.Program(self.folder, world.url, timeout_s=PATIENCE_S)
        program.environment["RAGSTACK_HANDLER_ZIP"] = str(self.folder / "handler.zip")
        return program

    def arguments(self, command: str) -> list[str]:
        consent = self.stack.consent if command == "down" else ()
        yes = () if command == "diff" else ("--yes",)
        return [command, *yes, "-f", f"stacks/{self.stack.name}.yaml", *self.stack.options, *consent]

    def run(self, world: harness.Gateway, command: str) -> harness.Result:
        return self.program(world).run(*self.arguments(command))

    def must(self, world: harness.Gateway, command: str) -> harness.Result:
        result = self.run(world, command)
        if result.status != 0:
            raise Broken(str(result))
        return result

    # -- what must hold ----------------------------------------------------------------------------

    def expect(self, found: dict[str, int], wanted: dict[str, int], when: str) -> None:
        wrong = difference(found, wanted)
        if wrong:
            raise Broken(f"{when}:\n  " + "\n  ".join(wrong))

    def expect_whole(self, world: harness.Gateway, again: bool = False) -> None:
        """`again`: after a `down` was under way, which leaves snapshots and further versions."""
        found, wanted = world.inventory(self.stack.region), self.whole
        if again:
            found, wanted = steady(found), steady(wanted)
        self.expect(found, wanted, "not what a clean `up` makes")
        self.must(world, "diff")

    def expect_gone(self, found: dict[str, int], when: str) -> None:
        """A last snapshot stays, one at most."""
        snapshots = found.get("manual snapshot", 0)
        if snapshots > 1:
            raise Broken(f"{when}: {snapshots} snapshots")
        self.expect(without(found, "snapshot"), without(self.empty, "snapshot"), f"{when}: not gone")

    def expect_no_violations(self, world: harness.Gateway) -> None:
        violations = world.violations()
        if violations:
            raise Broken(f"violations: {violations}")

    # -- cases -------------------------------------------------------------------------------------

    def strike(self, world: harness.Gateway, command: str, kind: str, at: int) -> tuple[harness.Result, str]:
        """A run that meets one fault; what it met, or "" if it never came so far."""
        world.fault(kind, at=at, changing=True)
        process = self.program(world).start(*self.arguments(command))
        world.tell_pid(process.pid)
        timer = threading.Timer(PATIENCE_S, process.terminate)
        timer.start()
        stdout, stderr = process.communicate()
        timer.cancel()
        hits = world.faults()[0]["hits"]
        world.forget_faults()
        return harness.Result(self.arguments(command), process.returncode, stdout, stderr), "".join(hits)

    def killed_up(self, kind: str, at: int) -> str:
        """From what is left, `down` leaves nothing, and `up` makes the whole."""
        with self.world() as world:
            result, hit = self.strike(world, "up", kind, at)
            if not hit:
                return ""
            if result.status != -signal.SIGKILL:
                raise Broken(f"not killed: {result}")
            with self.world(world) as other:
                self.must(other, "down")
                self.expect_gone(other.inventory(self.stack.region), "`down` after the kill")
            self.must(world, "up")
            self.expect_whole(world)
            self.expect_no_violations(world)
            return hit

    def killed_down(self, kind: str, at: int) -> str:
        with self.world(self.whole_world) as world:
            result, hit = self.strike(world, "down", kind, at)
            if not hit:
                return ""
            if result.status != -signal.SIGKILL:
                raise Broken(f"not killed: {result}")
            with self.world(world) as other:
                self.must(other, "up")
                self.expect_whole(other, again=True)
            self.must(world, "down")
            self.expect_gone(world.inventory(self.stack.region), "the second `down`")
            self.expect_no_violations(world)
            return hit

    def lost_up(self, kind: str, at: int) -> str:
        """A reply is lost, and the very same run ends well."""
        with self.world() as world:
            result, hit = self.strike(world, "up", kind, at)
            if result.status != 0:
                raise Broken(f"{hit}: {result}")
            self.expect_whole(world)
            self.expect_no_violations(world)
            return hit

    def lost_down(self, kind: str, at: int) -> str:
        with self.world(self.whole_world) as world:
            result, hit = self.strike(world, "down", kind, at)
            if result.status != 0:
                raise Broken(f"{hit}: {result}")
            self.expect_gone(world.inventory(self.stack.region), "`down`")
            self.expect_no_violations(world)
            return hit

    def cases(self, kinds: tuple[str, ...], commands: tuple[str, ...] = ("up", "down")) -> list[Case]:
        return [Case(command, kind, at) for command in commands for at in range(1, self.calls[command] + 1)
                for kind in kinds]

    def check(self, case: Case) -> str:
        """What is wrong with it, or ""."""
        run = getattr(self, f"{'killed' if case.kind in KILL else 'lost'}_{case.command}")
        try:
            hit = run(case.kind, case.at)
        except Broken as broken:
            return f"{self.stack}: {case}: {broken}"
        if not hit and case.at <= self.calls[case.command] - SPARE_CALLS:
            return f"{self.stack}: {case}: nothing was struck"
        return ""

    def check_all(self, cases: list[Case], jobs: int = 6) -> list[str]:
        with ThreadPoolExecutor(jobs) as pool:
            return [wrong for wrong in pool.map(self.check, cases) if wrong]


class SweepCase(unittest.TestCase):
    """The whole sweep of one stack, a test a kind of blow."""

    stack = STACKS[0]
    gateway_options: tuple[str, ...] = ()
    sweep: Sweep

    @classmethod
    def setUpClass(cls) -> None:
        cls.gateway = harness.Gateway(*cls.gateway_options)
        cls.addClassCleanup(cls.gateway.stop)
        cls.sweep = Sweep(cls.gateway, cls.stack)
        cls.addClassCleanup(cls.sweep.close)

    def hold(self, command: str, kind: str) -> None:
        wrong = self.sweep.check_all(self.sweep.cases((kind,), (command,)))
        self.assertEqual(wrong, [], "\n\n".join(wrong))


def add_sweep(case: type[SweepCase]) -> type[SweepCase]:
    """A test for each command and kind of blow."""
    for command in ("up", "down"):
        for kind in (*KILL, *LOSE):
            name = f"test_{command}_{kind.replace('-', '_')}_each_call"
            setattr(case, name, lambda self, command=command, kind=kind: self.hold(command, kind))
    return case
