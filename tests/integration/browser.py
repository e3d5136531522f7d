# SPDX-License-Identifier: Apache-2.0
"""A real headless browser, Chromium, driven through its DevTools protocol over a pair of pipes.

Every page records violations: uncaught errors, violations of its security policy, and requests to other hosts.
"""

import atexit
import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from .harness import SLOWEST, Failed, Patience, Skipped, shorten

KEYS = {
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    "Backspace": {"code": "Backspace", "windowsVirtualKeyCode": 8},
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "a": {"code": "KeyA", "windowsVirtualKeyCode": 65},
}
CONTROL = 2
WHERE_TO_CLICK = """async selector => {
    const element = document.querySelector(selector);
    if (!element) return null;
    element.scrollIntoView({ block: 'center' });
    const middle = () => {
        const box = element.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [x, y] = middle();
    await new Promise(done => setTimeout(done, 30));
    const isStill = element.isConnected && middle().join() === [x, y].join();
    if (!isStill || !element.contains(document.elementFromPoint(x, y))) return null;
    element.isClicked = false;
    element.addEventListener('click', () => { element.isClicked = true; }, { capture: true, once: true });
    return [x, y];
}"""


def _make_pipe():
    """A pipe whose descriptors differ from those that the browser will use."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high


class Browser:
    """Chromium with its own profile. Each context is like a separate browser."""

    def __init__(self, slower=1):
        path = shutil.which("chromium")
        if path is None:
            raise Skipped("chromium is missing")
        self.directory = tempfile.mkdtemp(prefix="curfew-browser-")
        self.slower, self.number, self.sessions, self.buffer = slower, 0, {}, b""
        options = [
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={self.directory}",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-default-browser-check",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
        ]
        if os.getuid() == 0:
            options.append("--no-sandbox")  # it refuses to run as root with a sandbox
        commands, self.commands = _make_pipe()
        self.answers, answers = _make_pipe()
        # The browser reads from 3 and writes to 4.
        place = f'exec "$@" 3<&{commands} 4>&{answers} {commands}<&- {answers}>&-'
        self.process = subprocess.Popen(
            ["bash", "-c", place, "bash", path, *options, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(commands, answers),
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)

    def _send(self, message):
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data) :]

    def _receive(self):
        patience = Patience(60 * self.slower)
        while b"\0" not in self.buffer:
            while not select.select([self.answers], [], [], 1)[0]:
                if patience.is_over():
                    raise Failed("chromium does not answer")
            data = os.read(self.answers, 1 << 20)
            if not data:
                raise Failed("chromium has ended")
            self.buffer += data
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        """Sends a command and waits for its answer. Events that arrive before it are passed to their pages."""
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._send(message)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error'].get('message')}")
                return answer["result"]
            page = self.sessions.get(answer.get("sessionId"))
            if page and "method" in answer:
                page.take(answer["method"], answer["params"])

    def open(self, url, width=1280, height=900, dark=False, context=None):
        """A page in a context. None creates a new context, which shares nothing with others."""
        if context is None:
            context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context, newWindow=True)[
            "targetId"
        ]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target, context)
        self.sessions[session] = page
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            page.call(f"{domain}.enable")
        page.resize(width, height, dark)
        page.go(url)
        return page

    def forget(self):
        """Closes all pages, with all that they kept."""
        for context in {page.context for page in self.sessions.values()}:
            self.call("Target.disposeBrowserContext", browserContextId=context)
        self.sessions.clear()

    def close(self):
        try:
            self.call("Browser.close")
        except (Failed, OSError):  # the browser may end before it answers
            pass
        os.close(self.commands)
        os.close(self.answers)
        try:
            self.process.wait(10 * SLOWEST * self.slower)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


# Browsers that nobody uses. To start one takes as long as many a test.
_idle = []


@contextlib.contextmanager
def borrow(slower=1):
    """A browser that knows nothing. One that something went wrong with is not used again."""
    browser = _idle.pop() if _idle else Browser(slower)
    try:
        yield browser
        browser.forget()
    except BaseException:
        browser.close()
        raise
    _idle.append(browser)


@atexit.register
def close_idle():
    while _idle:
        _idle.pop().close()


class Page:
    """One page: a person's actions on it, and its state."""

    def __init__(self, browser, session, target, context):
        self.browser, self.session, self.target, self.context = browser, session, target, context
        self.wrong, self.urls = [], []

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def take(self, method, parameters):
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.wrong.append(details.get("exception", {}).get("description") or details["text"])
        elif (
            method == "Log.entryAdded"
            and parameters["entry"]["level"] == "error"
            and parameters["entry"]["source"] != "network"
        ):
            entry = parameters["entry"]
            self.wrong.append(f"{entry['text']} ({entry.get('url')}:{entry.get('lineNumber')})")
        elif method == "Network.requestWillBeSent":
            self.urls.append(parameters["request"]["url"])

    def resize(self, width, height, dark=False):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def go(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'", "the page to load")

    def reload(self):
        self.evaluate("window.isOld = true")
        self.call("Page.reload")
        self.wait("!window.isOld && document.readyState === 'complete'", "the page to load again")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failed(
                f"{shorten(expression, 300)}: {details.get('exception', {}).get('description') or details['text']}"
            )
        return answer["result"].get("value")

    def wait(self, expression, what, timeout=30):
        """Waits until the expression is true, and returns its value."""
        patience = Patience(timeout * self.browser.slower)
        error = None
        while not patience.is_over():
            try:
                # An element has no JSON value, but counts as true.
                value = self.evaluate(f"(value => value instanceof Node || value)({expression})")
                if value:
                    return value
            except Failed as failure:  # while a page is loading
                error = failure
            time.sleep(0.05)
        raise Failed(
            f"waited {timeout * self.browser.slower * SLOWEST:g} s for {what}: {error or expression}\n{shorten('; '.join(self.wrong), 800)}"
        )

    def click(self, selector):
        """A real click in the middle of an element, once it exists, does not move, and is not covered. If it moves just
        then, so that the click does not arrive, another one."""
        missed = f"document.querySelector({json.dumps(selector)})?.isClicked === false"
        for _ in range(5):
            x, y = self.wait(f"({WHERE_TO_CLICK})({json.dumps(selector)})", f"{selector} to lie still")
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
            if not self.evaluate(missed):
                return
        raise Failed(f"{selector} cannot be clicked")

    def press(self, key, modifiers=0):
        for kind in ("keyDown", "keyUp"):
            values = dict(KEYS[key])
            if kind == "keyUp" or modifiers:
                values.pop("text", None)
            self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers, **values)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
        self.browser.sessions.pop(self.session, None)
