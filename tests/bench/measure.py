"""Running one command against the emulator, and what it took: time, processor, memory, requests."""

from __future__ import annotations

import collections
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
READ = re.compile(r"^(Get|List|Describe|Head|GET|HEAD)")
SAMPLE_S = 0.02


@dataclass
class Result:
    wall_s: float
    cpu_s: float
    anonymous_mb: float  # peak over the process tree: what cannot be shared or dropped
    resident_mb: float  # peak over the process tree, pages of files included
    exit_code: int
    requests: int
    writes: int
    by_action: collections.Counter = field(default_factory=collections.Counter)
    output: str = ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Emulator:
    """moto on loopback (emulator.py), behind a proxy that adds the latency of a network and keeps a log."""

    def __init__(self, folder: pathlib.Path, proxy: pathlib.Path, latency_ms: int):
        self.port, self.moto_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"requests-{latency_ms}.log"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.moto = subprocess.Popen(
            [sys.executable, str(HERE / "emulator.py"), str(self.moto_port)], **quiet)
        self.proxy = subprocess.Popen(
            [str(proxy), str(self.port), str(self.moto_port), str(latency_ms), str(self.log)])
        self._await()

    def _await(self) -> None:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.moto_port}/moto-api/data.json").read()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the emulator does not answer")

    def reset(self) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.moto_port}/moto-api/reset", method="POST")
        urllib.request.urlopen(request).read()

    def client(self, service: str):
        import boto3

        return boto3.client(service, region_name="us-east-1",
                            endpoint_url=f"http://127.0.0.1:{self.moto_port}",
                            aws_access_key_id="testing", aws_secret_access_key="testing")

    def environment(self) -> dict[str, str]:
        return {**os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true"}

    def log_size(self) -> int:
        return self.log.stat().st_size

    def actions_since(self, position: int) -> list[str]:
        with self.log.open() as log:
            log.seek(position)
            return [line.split("\t")[1] for line in log]

    def close(self) -> None:
        for process in (self.proxy, self.moto):
            process.terminate()
            process.wait()


# -- the process tree -----------------------------------------------------------------------------


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            status = pathlib.Path("/proc", name, "stat").read_text()
        except OSError:
            continue
        parent = int(status[status.rindex(")") + 2:].split()[1])
        children.setdefault(parent, []).append(int(name))
    return children


def _memory_kb(pid: int) -> tuple[int, int]:
    found = {"RssAnon": 0, "VmRSS": 0}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        key = line.split(":")[0]
        if key in found:
            found[key] = int(line.split()[1])
    return found["RssAnon"], found["VmRSS"]


def _tree_memory_kb(root: int) -> tuple[int, int]:
    children, waiting = _children(), [root]
    anonymous = resident = 0
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        try:
            one = _memory_kb(pid)
        except OSError:
            continue
        anonymous, resident = anonymous + one[0], resident + one[1]
    return anonymous, resident


def run(emulator: Emulator, command: list[str], folder: pathlib.Path, environment: dict[str, str],
        accepted: tuple[int, ...] = (0,)) -> Result:
    """Runs to the end; the processor time is that of the command and all its children."""
    position = emulator.log_size()
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak, ended, output = [0, 0], threading.Event(), []

    def sample() -> None:
        while not ended.is_set():
            now = _tree_memory_kb(process.pid)
            peak[0], peak[1] = max(peak[0], now[0]), max(peak[1], now[1])
            ended.wait(SAMPLE_S)

    sampler = threading.Thread(target=sample)
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()))
    sampler.start()
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    sampler.join()
    reader.join()
    text = output[0].decode(errors="replace")
    if process.returncode not in accepted:
        raise RuntimeError(f"{' '.join(command)} exited {process.returncode}:\n{text[-4000:]}")
    actions = emulator.actions_since(position)
    return Result(wall_s, usage.ru_utime + usage.ru_stime, peak[0] / 1024,
                  max(peak[1], usage.ru_maxrss) / 1024, process.returncode, len(actions),
                  sum(not READ.match(action) for action in actions),
                  collections.Counter(actions), text)
