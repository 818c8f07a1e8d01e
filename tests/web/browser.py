"""A headless Chromium, driven by its DevTools protocol over two pipes: no driver, no package.

    with Browser() as browser:
        page = browser.open("http://127.0.0.1:1234/")
        page.wait("document.querySelector('.answer .text')")
        page.key("Enter")
        page.screenshot("/tmp/page.png")
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time
from typing import Any

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         "--force-color-profile=srgb", "--remote-debugging-pipe"]
KEYS = {"Enter": 13, "Escape": 27, "Tab": 9}
START_S = 120


class Browser:
    def __init__(self) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            raise RuntimeError("there is no chromium: install the package chromium")
        self.profile = tempfile.mkdtemp(prefix="ragstack-web-")
        theirs_in, self.ours_out = os.pipe()
        self.ours_in, theirs_out = os.pipe()
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", program, *FLAGS,
             f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=[theirs_in, theirs_out], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.profile}, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self.numbers, self.unread = itertools.count(1), b""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_why: Any) -> None:
        self.close()

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.ours_in)
        os.close(self.ours_out)
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self, end: float) -> dict[str, Any] | None:
        """The next one; None when there is none until then."""
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.ours_in], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self.ours_in, 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self.unread += piece
        text, self.unread = self.unread.split(b"\0", 1)
        return json.loads(text)

    def call(self, method: str, session: str | None = None, timeout_s: float = START_S, **parameters: Any) -> Any:
        number, end = next(self.numbers), time.monotonic() + timeout_s
        request = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.ours_out, json.dumps(request).encode() + b"\0")
        while (reply := self.message(end)) is not None:
            if reply.get("id") == number:
                if "error" in reply:
                    raise RuntimeError(f"{method}: {reply['error']}")
                return reply["result"]
            self.events.append(reply)
        raise RuntimeError(f"{method}: no reply in {timeout_s} s")

    def open(self, url: str, width: int = 1000, height: int = 800, dark: bool = False) -> Page:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            page.call(f"{domain}.enable")
        page.size(width, height)
        page.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        page.call("Page.navigate", url=url)
        page.wait("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page


class Page:
    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session

    def call(self, method: str, **parameters: Any) -> Any:
        return self.browser.call(method, self.session, **parameters)

    def size(self, width: int, height: int, phone: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def run(self, script: str) -> Any:
        """The value of an expression; what it throws is an error."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(f"{script}: {reply['exceptionDetails']}")
        return reply["result"].get("value")

    def wait(self, script: str, timeout_s: float = 60) -> Any:
        """Until the expression is true."""
        end = time.monotonic() + timeout_s
        while not (value := self.run(f"(() => {{ const v = {script}; return v instanceof Element ? true : v; }})()")):
            if time.monotonic() > end:
                raise AssertionError(f"waited for {script}; the page says:\n{self.text()}")
            time.sleep(0.02)
        return value

    def text(self) -> str:
        return self.run("document.body.innerText")

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def key(self, name: str, shift: bool = False) -> None:
        text = {"text": "\r"} if name == "Enter" else {}
        common = {"key": name, "code": name, "windowsVirtualKeyCode": KEYS[name], "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, selector: str) -> None:
        """Where a finger would: in the middle of it, which has to be visible."""
        box = self.run(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: "center"}}); const b = e.getBoundingClientRect();
            const x = b.x + b.width / 2, y = b.y + b.height / 2, top = document.elementFromPoint(x, y);
            return [x, y, e === top || e.contains(top)]; }})()""")
        if not box[2]:
            raise AssertionError(f"{selector} is covered by something")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def focused(self) -> str:
        return self.run("document.activeElement.id || document.activeElement.className")

    def names(self, role: str) -> list[str]:
        """The accessible names of what a screen reader takes for this role."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node.get("name", {}).get("value", "") for node in nodes
                if not node.get("ignored") and node.get("role", {}).get("value") == role]

    def complaints(self) -> list[str]:
        """What the console says: errors, and what the content security policy stopped."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning"):
                found.append(event["params"]["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
        return found

    def requests(self) -> list[str]:
        return [event["params"]["request"]["url"] for event in self.browser.events
                if event.get("sessionId") == self.session and event["method"] == "Network.requestWillBeSent"]

    def screenshot(self, path: str | pathlib.Path) -> None:
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
