# SPDX-License-Identifier: Apache-2.0
"""The console, used like a person does: a real browser and a real server, both separate for each test.

Screenshots are written to the build directory's console-screenshots/.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from .browser import CONTROL, borrow
from .harness import ROOT, Failed, Test, expect, expect_equal, find_port, lines_of, read, shorten

TESTS = []

SPIN = "for (let n = 1; ; n++) if (n % 1e7 === 0) console.log('turn', n);\n"
SLOW = (
    "const wait = (ms) => new Promise((done) => setTimeout(done, ms));\n"
    "for (let n = 1; n <= 8; n++) { console.log('step', n); await wait(%d); }\nexport default 'all steps';\n"
)


def test(function):
    TESTS.append(function)
    return function


def on_page(function):
    """A test with one page, which must not record any violation."""

    def run(context):
        with Session(context) as session:
            page = session.open()
            function(session, page)
            expect_clean(page)

    run.__name__ = function.__name__
    return test(run)


class Session:
    """A server with its own data directory, and a browser."""

    def __init__(self, context, *options):
        self.options = options
        self.context, self.directory, self.port = context, context.directory(), find_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.server = self.browser = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.end_server)
            self.start_server()
            self.browser = stack.enter_context(borrow(self.context.slower))
            self.ending = stack.pop_all()
        return self

    def __exit__(self, *error):
        return self.ending.__exit__(*error)

    def start_server(self):
        words = [
            self.context.curfew,
            "serve",
            "--listen",
            f"127.0.0.1:{self.port}",
            "--data",
            os.path.join(self.directory, "data"),
            *self.options,
        ]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.server = self.context.spawn(words, stdout=log, stderr=log)
        until = self.context.patience(30)
        while not until.is_over():
            try:
                return self.ask("GET", "readyz")
            except (OSError, urllib.error.URLError):
                if self.server.poll() is not None:
                    break
                time.sleep(0.05)
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            raise Failed(f"the server is not ready: {shorten(log.read())}")

    def stop_server(self, number=signal.SIGTERM):
        self.server.send_signal(number)
        try:
            self.server.wait(self.context.socket_timeout(30))
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
            raise Failed("the server did not end")

    def end_server(self):
        if self.server and self.server.poll() is None:
            self.stop_server()

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=body and json.dumps(body).encode())
        if body:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=self.context.socket_timeout(30)) as answer:
            return answer.read(), answer.headers

    def wait_until_taken(self, token):
        """Waits until the server accepts a token that another process has made, which takes about a second."""
        request = urllib.request.Request(self.url + "v1/stats", headers={"Authorization": f"Bearer {token}"})

        def is_taken():
            try:
                with urllib.request.urlopen(request, timeout=self.context.socket_timeout(30)):
                    return True
            except urllib.error.HTTPError as error:
                if error.code != 401:
                    raise
                return False

        self.context.until("the server does not take the token", is_taken, 30)

    def put(self, path, body):
        request = urllib.request.Request(
            self.url + path, method="PUT", data=body, headers={"Content-Type": "application/octet-stream"}
        )
        with urllib.request.urlopen(request, timeout=self.context.socket_timeout(30)) as answer:
            return json.loads(answer.read())

    def open(self, place="", **options):
        page = self.browser.open(self.url + place, **options)
        wait_until_ready(page)
        return page

    def shoot(self, page, name, whole=True):
        directory = os.path.join(self.context.build, "console-screenshots")
        os.makedirs(directory, exist_ok=True)
        page.screenshot(os.path.join(directory, name + ".png"), whole)


def wait_until_ready(page):
    page.wait("document.documentElement.dataset.ready === ''", "the console to be ready")


def expect_clean(*pages):
    for page in pages:
        page.evaluate("1")  # all events before the answer have been handled
        expect_equal("errors in the page", page.wrong, [])


def choose(page, example):
    page.evaluate(
        f"(() => {{ const list = document.querySelector('#example'); list.value = {json.dumps(example)};"
        " list.dispatchEvent(new Event('change')); })()"
    )


def write_program(page, text):
    """Types the text into the editor, and replaces its content."""
    choose(page, "scratch")
    page.evaluate("document.querySelector('#editor').shadowRoot.querySelector('.cm-content').focus()")
    # Chromium gives text that replaces highlighted text an inline style, which the page's policy blocks with a message.
    page.press("a", CONTROL)
    page.press("Backspace")
    page.type(text)
    # Line breaks that the editor does not show do not count.
    page.wait(f"{FIRST_LINE} === {json.dumps(lines_of(text)[0])}", "the text to be in the editor")


FIRST_LINE = "document.querySelector('#editor').shadowRoot.querySelector('.cm-line').textContent"


def first_line(page):
    return page.evaluate(FIRST_LINE)


def set_field(page, key, value):
    page.evaluate(
        f"(() => {{ document.querySelector('#limits').open = true; const field = document.querySelector('#field-{key}');"
        f" field.value = {json.dumps(value)}; field.dispatchEvent(new Event('input')); }})()"
    )


def card(index=0):
    """JavaScript for the card with this index. The newest card is the first."""
    return f"document.querySelectorAll('.card')[{index}]"


def wait_for_state(page, state, index=0):
    seen = page.wait(
        f"['{state}', 'done'].includes({card(index)}?.dataset.state) && {card(index)}.dataset.state",
        f"the run to be {state}",
    )
    expect_equal("the state of the run", seen, state)


def wait_for_focus(page, selector):
    """A card can be shown and its run can have begun before the focus moves to it. Keys go to what has the focus."""
    page.wait(f"document.activeElement.matches('{selector}')", f"the focus to be on {selector}")


def look_while_it_runs(page, begin, look):
    """The number of runs until one was seen in the wanted state before it ended. begin: starts one, and receives how
    many there were, so that each can take longer than the one before."""
    for number in range(4):
        before = page.evaluate("document.querySelectorAll('.card').length")
        begin(number)
        page.wait(f"document.querySelectorAll('.card').length > {before}", "another run")
        try:
            look()
            return number + 1
        except Failed:
            if number == 3 or page.evaluate(f"{card()}.dataset.state") != "done":
                raise
    return None


def wait_for_outcome(page, outcome, index=0):
    page.wait(f"{card(index)}?.dataset.outcome", f"an outcome ({outcome})", 60)
    expect_equal("outcome", page.evaluate(f"{card(index)}.dataset.outcome"), outcome)


def text_of(page, selector, index=0):
    return page.evaluate(f"{card(index)}.querySelector('{selector}').textContent").replace("\xa0", " ")


def is_hue(colour, name):
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return {
        "green": green > 1.3 * red and green > 1.3 * blue,
        "blue": blue > 1.3 * red and blue > 1.2 * green,
        "red": red > 2 * green and red > 2 * blue,
        "orange": red > 1.3 * green > 1.3 * 1.3 * blue and green > 0.4 * red,
    }[name]


def expect_shown(page, hue, word, index=0):
    """Colour, word and symbol: the state of a run is never shown by colour alone."""
    colour = page.evaluate(f"getComputedStyle({card(index)}).borderLeftColor")
    expect(is_hue(colour, hue), f"expected {hue}, seen {colour}")
    expect_equal("word", text_of(page, ".badge", index), word)
    expect(page.evaluate(f"{card(index)}.querySelector('.badge svg use') !== null"), f"{word}: no symbol")


def seconds_left(page):
    """The number of seconds left that the card shows. null: the run has ended."""
    text = f"{card()}.querySelector('.time').textContent"
    shown = f"Number({text}.match(/^([\\d.]+)\\ss left of /)?.[1] ?? NaN)"
    left = page.wait(
        f"{shown} >= 0 ? {{ left: {shown} }} : {card()}.dataset.state === 'done' && {{ ended: true }}", "a countdown"
    )
    expect("left" in left, f"expected a countdown, seen {text_of(page, '.time')!r}")
    return left["left"]


def expect_countdown(page):
    first = seconds_left(page)
    page.wait(
        f"{card()}.dataset.state === 'done' || parseFloat({card()}.querySelector('.time').textContent) < {first - 0.25}",
        "the countdown to go down",
    )
    expect(seconds_left(page) < first, "the countdown does not go down")


def expect_late(page):
    text = text_of(page, ".time")
    expect(
        re.search(r"\d (µs|ms|s) late · (soft stop|hard stop|process ended)", text), f"how late the stop was: {text!r}"
    )


def expect_marked_line(page):
    """The line of the stop. A run whose process had to be killed on a busy machine has none."""
    page.wait(
        "document.querySelector('#editor').shadowRoot.querySelector('.cm-marked') || "
        f"{card()}.querySelector('.time').textContent.includes('process ended')",
        "a line to be marked in the editor",
    )


# ---- The three buttons, and colours -------------------------------------------------------------------------------


def begin_slow(page, number):
    write_program(page, SLOW % (500 << number))
    page.click("#start")


@on_page
def run_button(session, page):
    set_field(page, "timeout", "50s")

    def look():
        wait_for_state(page, "running")
        expect_shown(page, "green", "Running")
        expect_countdown(page)
        page.wait(f"{card()}.querySelector('.output').textContent.includes('step 2')", "output as it comes")
        expect_equal("state", page.evaluate(f"{card()}.dataset.state"), "running")
        session.shoot(page, "running")

    look_while_it_runs(page, lambda number: begin_slow(page, number), look)
    wait_for_outcome(page, "ok")
    expect_shown(page, "blue", "Completed")
    expect_equal("value", text_of(page, ".value-box pre"), '"all steps"')
    expect_equal("output", text_of(page, ".output"), "".join(f"step {n}\n" for n in range(1, 9)))
    session.shoot(page, "completed")


# The page itself records what the newest card shows in each state, because a state may last only a moment.
NOTE_STATES = """window.noted = {};
new MutationObserver(() => {
    const card = document.querySelectorAll('.card')[0];
    const text = part => card.querySelector(part).textContent.replaceAll('\\xa0', ' ');
    if (!card?.dataset.state || !text('.time')) return;
    const all = (noted[card.dataset.state] ??= []);
    const shown = { badge: text('.badge'), time: text('.time'), clock: text('.clock'),
        colour: getComputedStyle(card).borderLeftColor, hasSymbol: card.querySelector('.badge svg use') !== null };
    if (all.at(-1)?.time !== shown.time) all.push(shown);
}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
void 0"""


def expect_seen(page):
    """What the page showed of a run that was scheduled, and then ran: its states by word, colour and symbol, and countdowns."""
    noted = page.evaluate("noted")
    scheduled, running = noted["scheduled"][0], noted["running"]
    expect_equal("word", scheduled["badge"], "Scheduled")
    expect(re.fullmatch(r"starts in [01]\.\d s", scheduled["time"]), f"when it starts: {scheduled}")
    expect(re.fullmatch(r"\d\d:\d\d:\d\d", scheduled["clock"]), f"the time on the card: {scheduled}")
    for shown in running:
        expect_equal("word", (shown["badge"], shown["hasSymbol"]), ("Running", True))
    expect(is_hue(running[-1]["colour"], "green"), f"expected green, seen {running[-1]}")
    left = [float(match[1]) for shown in running if (match := re.match(r"([\d.]+) s left of ", shown["time"]))]
    expect(left == sorted(left, reverse=True) and left[0] - left[-1] > 0.25, f"the countdown: {left}")


@on_page
def schedule_button(session, page):
    write_program(page, "'mine'\n")
    page.evaluate(NOTE_STATES)
    for _ in range(5):
        before = page.evaluate("noted = {}, document.querySelectorAll('.card').length")
        page.click("#schedule")
        page.wait(f"document.querySelectorAll('.card').length > {before}", "a run")
        wait_for_outcome(page, "deadline")
        # On a busy machine a run may begin before the page is notified. Then try again.
        if page.evaluate("noted.scheduled !== undefined && noted.running?.length > 3"):
            break
    expect_seen(page)
    expect_shown(page, "orange", "Deadline")
    expect_late(page)
    expect("found" in text_of(page, ".value-box pre"), "the partial result is not shown")
    expect_marked_line(page)
    meters = page.evaluate(
        f"[...{card()}.querySelectorAll('[role=meter]')].map((bar) => bar.ariaLabel + ': ' + bar.ariaValueText)"
    )
    for name in ("Elapsed: 5", "CPU: ", "Memory: ", "Loops: ", "Output: "):
        expect(any(meter.startswith(name) for meter in meters), f"no bar {name}: {meters}")
    expect(
        not page.evaluate(f"{card()}.querySelector('[aria-label=Fuel]').checkVisibility()"),
        "what is neither counted nor limited is shown",
    )
    session.shoot(page, "deadline")
    choose(page, "scratch")
    expect_equal("my own program", first_line(page), "'mine'")


@on_page
def later_by_the_server(session, page):
    """A run that somebody else has scheduled is shown as scheduled, with a countdown to its start."""
    session.ask("POST", "v1/runs", {"source": "1", "delay": "1h"})
    wait_for_state(page, "scheduled")
    page.wait(f"{card()}.querySelector('.time').textContent", "the time until it starts")
    expect_equal("word", text_of(page, ".badge"), "Scheduled")
    session.shoot(page, "scheduled")
    expect(
        re.fullmatch(r"starts in (59 min \d+ s|1 h)", text_of(page, ".time")),
        f"when it starts: {text_of(page, '.time')!r}",
    )
    page.click(".card .cancel")
    wait_for_outcome(page, "cancelled")


@on_page
def what_runs_is_shown(session, page):
    """The Run button shows what it will run. A demonstration runs its program from the editor, edited or not."""
    note = "document.querySelector('#start-note').textContent.replaceAll('\\xa0', ' ')"
    choose(page, "hello")
    expect_equal("the button", page.evaluate(note), "Hello · deadline 10 s")
    set_field(page, "timeout", "3s")
    set_field(page, "delay", "1m")
    expect_equal("the button", page.evaluate(note), "Hello · starts after 1m · deadline 3s")
    set_field(page, "delay", "")
    choose(page, "ten")
    page.evaluate("document.querySelector('#editor').shadowRoot.querySelector('.cm-content').focus()")
    page.type("throw 'edited'; ")
    page.wait(f"{FIRST_LINE}.startsWith(\"throw 'edited'; \")", "the text to be in the editor")
    page.click("#both")
    wait_for_outcome(page, "threw")
    expect_equal(
        "the editor",
        first_line(page),
        "throw 'edited'; // Computes for ten seconds, and keeps what it has so far: a deadline or",
    )


@on_page
def turned_text(session, page):
    """Characters that reverse or hide the text around them are escaped."""
    write_program(page, "console.log('der\\u202emin\\u202c')\n")
    page.click("#start")
    wait_for_outcome(page, "ok")
    expect_equal("output", text_of(page, ".output"), "der⟨U+202E⟩min⟨U+202C⟩\n")


@on_page
def both_button(session, page):

    def look():
        wait_for_state(page, "running")
        wait_for_focus(page, ".card .cancel")
        expect_equal("what has the focus", page.evaluate("document.activeElement.textContent"), "Cancel")
        expect_countdown(page)
        page.press("Escape")
        wait_for_outcome(page, "cancelled")

    count = look_while_it_runs(page, lambda _: page.click("#both"), look)
    expect_shown(page, "red", "Cancelled")
    expect_late(page)
    expect_marked_line(page)
    expect_equal("the focus stays with the run", page.evaluate("document.activeElement.className"), "card")
    session.shoot(page, "cancelled")
    page.click("#both")
    page.wait(f"document.querySelectorAll('.card').length === {count + 1}", "another run")
    wait_for_outcome(page, "deadline")
    expect_shown(page, "orange", "Deadline")


# Delays the responses to requests that start a run until deliver() is called.
DELAY_STARTS = """(() => {
    const real = window.fetch;
    const delivered = new Promise(resolve => { window.deliver = resolve; });
    window.fetch = async (path, options) => {
        const answer = await real(path, options);
        if (options?.method === 'POST' && new URL(path, location).pathname === '/v1/runs') await delivered;
        return answer;
    };
})()"""


SPACED_TITLE = "document.querySelector('.card h3')?.textContent.replaceAll('\\xa0', ' ')"


@on_page
def found_before_the_answer(session, page):
    """The page finds a run before the server answers the request for it. Its card knows the program in the end, too."""
    page.evaluate(DELAY_STARTS)
    choose(page, "ten")
    for button, is_over, title in (
        ("#start", False, "Ten seconds of work"),
        ("#schedule", True, "10 s program, 5 s deadline"),
    ):
        count = page.evaluate("document.querySelectorAll('.card').length")
        page.click(button)
        page.wait(f"document.querySelectorAll('.card').length > {count}", "the run to be found")
        if is_over:
            wait_for_outcome(page, "deadline")
        page.evaluate("deliver()")
        if not is_over:
            wait_for_focus(page, ".card")
            page.press("Escape")
            wait_for_outcome(page, "cancelled")
        expect_marked_line(page)
        wait_for_focus(page, ".card")
        page.wait(f"{SPACED_TITLE} === '{title}'", f"the title to be {title}")
        page.evaluate(DELAY_STARTS)
    page.reload()
    wait_until_ready(page)
    page.wait(f"{SPACED_TITLE} === '{title}'", f"the title to be {title} again")


@on_page
def other_outcomes(session, page):
    for example, outcome, word in (("throws", "threw", "Threw"), ("memory", "memory", "Memory limit")):
        choose(page, example)
        page.click("#start")
        page.wait(f"{card()}?.dataset.outcome === '{outcome}'", outcome)
        expect_equal("word", text_of(page, ".badge"), word)
    write_program(page, "for (;;);\n")
    set_field(page, "loops", "1M")
    page.click("#start")
    page.wait(f"{card()}?.dataset.outcome === 'loops'", "loops")
    expect_equal(
        "bar of the loops", page.evaluate(f"{card()}.querySelector('[aria-label=Loops]').ariaValueText"), "1 M of 1 M"
    )
    tones = page.evaluate("[...document.querySelectorAll('.card')].map((one) => one.dataset.tone)")
    expect_equal("tones", tones, ["other"] * 3)
    session.shoot(page, "other-outcomes")


@on_page
def cancel_in_microtasks(session, page):
    choose(page, "microtasks")
    set_field(page, "timeout", "10m")
    page.click("#start")
    wait_for_state(page, "running")
    page.wait(f"{card()}.querySelector('.value-box')", "a partial result while it runs")
    page.click(".card .cancel")
    wait_for_outcome(page, "cancelled")
    expect_shown(page, "red", "Cancelled")
    expect_late(page)
    expect("turns" in text_of(page, ".value-box pre"), "the partial result is gone")
    session.shoot(page, "cancelled-in-microtasks")


@on_page
def webassembly(session, page):
    choose(page, "wat")
    expect_equal("language", page.evaluate("document.querySelector('#language').value"), "wat")
    set_field(page, "call", "sum")
    set_field(page, "params", "[1000]")
    page.click("#start")
    wait_for_outcome(page, "ok")
    expect(text_of(page, ".value-box pre").strip('"') == "500500", f"value: {text_of(page, '.value-box pre')}")
    choose(page, "wat-loop")
    set_field(page, "call", "")
    set_field(page, "params", "")
    set_field(page, "timeout", "10m")
    page.click("#start")
    page.wait("document.querySelectorAll('.card').length === 2", "a second run")
    wait_for_state(page, "running")
    page.click(".card .cancel")
    wait_for_outcome(page, "cancelled")
    expect_late(page)
    session.shoot(page, "webassembly")


@test
def queued_and_stopping(context):
    """A run that waits for a worker is shown as waiting. A run that was cancelled within a grace is shown as stopping,
    and can be stopped at once."""
    with Session(context, "--concurrency", "1") as session:
        page = session.open()
        session.shoot(page, "idle")
        write_program(page, SPIN)
        set_field(page, "timeout", "10m")
        set_field(page, "grace", "5m")
        page.click("#start")
        wait_for_state(page, "running")
        choose(page, "hello")
        page.click("#start")
        page.wait("document.querySelectorAll('.card').length === 2", "a second run")
        wait_for_state(page, "queued")
        expect_equal("word", text_of(page, ".badge"), "Queued")
        expect_equal("what it waits for", text_of(page, ".time"), "waits for a worker")
        session.shoot(page, "queued")
        page.click(".card:nth-child(2) .cancel")
        wait_for_state(page, "stopping", 1)
        expect_shown(page, "green", "Stopping", 1)
        expect_equal("the button", text_of(page, ".cancel", 1), "Stop now")
        session.shoot(page, "stopping")
        page.click(".card:nth-child(2) .cancel")
        wait_for_outcome(page, "cancelled", 1)
        wait_for_outcome(page, "ok")
        expect_clean(page)


# ---- Several pages ------------------------------------------------------------------------------------------------


@on_page
def reload_in_the_middle(session, page):

    def begin(number):
        set_field(page, "timeout", "50s")
        begin_slow(page, number)

    def look():
        page.wait(f"{card()}.querySelector('.output').textContent.includes('step 2')", "output")
        page.reload()
        wait_until_ready(page)
        wait_for_state(page, "running")
        expect_shown(page, "green", "Running")
        expect_countdown(page)
        expect(
            text_of(page, ".output").startswith("step 1\nstep 2\n"),
            f"what came before is not shown: {text_of(page, '.output')!r}",
        )
        session.shoot(page, "after-reload")

    count = look_while_it_runs(page, begin, look)
    wait_for_outcome(page, "ok")
    expect_equal("output", text_of(page, ".output"), "".join(f"step {n}\n" for n in range(1, 9)))
    page.reload()
    wait_until_ready(page)
    wait_for_outcome(page, "ok")
    expect_equal("cards", page.evaluate("document.querySelectorAll('.card').length"), count)


@test
def two_browsers(context):
    with Session(context) as session:
        first, second = session.open(), session.open(width=390, height=844)
        write_program(first, SPIN)
        set_field(first, "timeout", "10m")
        first.click("#start")
        for page in (first, second):
            wait_for_state(page, "running")
            expect_shown(page, "green", "Running")
        second.wait(f"{card()}.querySelector('.output').textContent.includes('turn')", "output in the other browser")
        second.click(".card .cancel")
        for page in (first, second):
            wait_for_outcome(page, "cancelled")
            expect_shown(page, "red", "Cancelled")
            expect_late(page)
        expect_marked_line(first)
        session.shoot(second, "second-browser")
        expect_clean(first, second)


@test
def many_tabs(context):
    """One browser opens more pages than it has connections. Each still shows the end."""
    with Session(context) as session:
        pages = [session.open()]
        pages += [session.open(context=pages[0].context) for _ in range(7)]
        write_program(pages[0], SPIN)
        set_field(pages[0], "timeout", "10m")
        pages[0].click("#start")
        for page in pages:
            wait_for_state(page, "running")
        pages[0].click(".card .cancel")
        for page in pages:
            wait_for_outcome(page, "cancelled")
        expect_clean(*pages)


@test
def server_goes_away(context):
    with Session(context) as session:
        page = session.open()
        write_program(page, "const start = Date.now();\nwhile (Date.now() < start + 500);\n'over'\n")
        page.click("#start")
        wait_for_outcome(page, "ok")
        session.stop_server()
        page.wait(
            "document.querySelector('#pulse').dataset.state === 'lost'", "the page to say that the server is gone"
        )
        session.shoot(page, "server-away")
        session.start_server()
        page.wait("document.querySelector('#pulse').dataset.state === 'good'", "the page to find the server again")
        page.click("#start")
        page.wait("document.querySelectorAll('.card[data-outcome=ok]').length === 2", "a second run")


# ---- Keys, width, names -------------------------------------------------------------------------------------------


@on_page
def keyboard(session, page):
    set_field(page, "timeout", "10m")
    write_program(page, SPIN)
    page.press("Enter", CONTROL)
    wait_for_state(page, "running")
    wait_for_focus(page, ".card")
    expect_equal("what has the focus", page.evaluate("document.activeElement.className"), "card")
    page.press("Escape")
    wait_for_outcome(page, "cancelled")
    expect(
        page.wait(
            "document.querySelector('#announcements').textContent.includes('Cancelled')", "the end to be announced"
        ),
        "",
    )
    # Everything can be reached with the keyboard, the focus is visible, and it can leave the editor.
    page.evaluate("document.querySelector('#example').focus()")
    reached = set()
    for _ in range(60):
        page.press("Tab")
        if page.evaluate("document.activeElement.id") == "editor":
            page.press("Escape")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if page.evaluate("document.activeElement.matches('button, a, input, summary, .card')"):
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            expect(
                style != "none", f"the focus is not seen on {page.evaluate('document.activeElement.outerHTML')[:120]}"
            )
    missing = {"language", "editor", "start", "schedule", "both", "field-timeout", "field-memory", "card"} - reached
    expect(not missing, f"not reached with Tab: {missing}")


@test
def phone(context):
    with Session(context) as session:
        page = session.open(width=360, height=780)
        session.shoot(page, "phone-idle", whole=False)
        choose(page, "hello")
        page.click("#start")
        wait_for_outcome(page, "ok")

        def look():
            wait_for_state(page, "running")
            page.evaluate("scrollTo(0, 0)")
            top, bottom = page.evaluate(
                f"(({{ top, bottom }}) => [top, bottom])({card()}.querySelector('.time').getBoundingClientRect())"
            )
            expect(
                top > 0 and bottom < 780, f"how the run stands is not on the first screen of a phone: {top} to {bottom}"
            )
            session.shoot(page, "phone-first", whole=False)

        count = look_while_it_runs(page, lambda _: page.click("#both"), look)
        write_program(page, SPIN)
        set_field(page, "timeout", "10m")
        page.click("#start")
        page.wait(f"document.querySelectorAll('.card').length === {count + 2}", "a run that goes on")
        wait_for_state(page, "running")
        for view in ("run", "history", "programs", "machine"):
            page.evaluate(f"location.hash = '#{view}'")
            page.wait(f"!document.querySelector('#view-{view}').hidden", view)
            expect_equal(f"width of {view}", page.evaluate("document.documentElement.scrollWidth"), 360)
            small = page.evaluate(
                "[...document.querySelectorAll('button, select, input, nav a, summary')].filter((one) => one.checkVisibility())"
                ".map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height]).filter(([, height]) => height < 44)"
            )
            expect_equal(f"too small to touch in {view}", small, [])
            session.shoot(page, f"phone-{view}")
        page.evaluate("location.hash = '#run'")
        page.click(".card .cancel")
        wait_for_outcome(page, "cancelled")
        page.resize(360, 780, dark=True)
        session.shoot(page, "phone-run-dark")
        expect_clean(page)


@on_page
def names(session, page):
    """For screen readers: every control has a name, and the page has headings and landmarks."""
    choose(page, "throws")
    page.click("#start")
    wait_for_outcome(page, "threw")
    for view in ("run", "history", "programs", "machine"):
        page.evaluate(f"location.hash = '#{view}'")
        page.wait(f"!document.querySelector('#view-{view}').hidden", view)
        nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
        found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node]
        nameless = [
            role
            for role, name in found
            if not name
            and role
            in (
                "button",
                "link",
                "textbox",
                "searchbox",
                "combobox",
                "meter",
                "image",
                "img",
                "table",
                "dialog",
                "article",
                "log",
            )
        ]
        expect_equal(f"without a name in {view}", nameless, [])
        roles = {role for role, _ in found}
        expect(
            {"banner", "navigation", "main", "contentinfo", "heading", "status"} <= roles, f"{view}: {sorted(roles)}"
        )
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))")
    jumps = [pair for pair in zip(levels, levels[1:]) if pair[1] > pair[0] + 1]
    expect_equal("headings that leave a level out", jumps, [])


# ---- Sending and not sending --------------------------------------------------------------------------------------


@test
def policy(context):
    with Session(context) as session:
        _, headers = session.ask("GET", "")
        said = headers["Content-Security-Policy"] or ""
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"):
            expect(part in said, f"the policy lacks {part}: {said}")
        expect("unsafe" not in said and "*" not in said, f"the policy is not strict: {said}")
        page = session.open()
        page.evaluate(
            "window.violations = []; document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))"
        )
        write_program(
            page,
            "console.log('<img src=x onerror=\"document.title=1\">');\nconsole.error('</pre><script>document.title=1</script>');\n"
            "curfew.checkpoint('<b>bold</b>');\nthrow new Error('<i>italic</i>');\n",
        )
        page.click("#start")
        wait_for_outcome(page, "threw")
        expect("<img src=x" in text_of(page, ".output"), "the output is not shown as it is")
        expect_equal(
            "elements made of what the program wrote",
            page.evaluate(f"{card()}.querySelectorAll('img, script, b, i').length"),
            0,
        )
        for view in ("history", "programs", "machine"):
            page.evaluate(f"location.hash = '#{view}'")
            page.wait(f"!document.querySelector('#view-{view}').hidden", view)
        page.evaluate("document.querySelector('#editor').shadowRoot.querySelector('.cm-content').focus()")
        page.evaluate("new Promise((done) => setTimeout(done, 300))")
        expect_equal("violations", page.evaluate("violations"), [])
        strange = sorted({url for url in page.urls if not url.startswith((session.url, "data:"))} - {"about:blank"})
        expect_equal("requests to other places", strange, [])
        expect_equal("cookies", page.evaluate("document.cookie"), "")
        expect_clean(page)


@on_page
def wrong_limits(session, page):
    choose(page, "hello")
    set_field(page, "memory", "plenty")
    page.click("#start")
    page.wait("document.querySelector('#field-memory[aria-invalid]')", "the field to be marked")
    expect_equal("cards", page.evaluate("document.querySelectorAll('.card').length"), 0)
    # Only the server knows the ceiling.
    set_field(page, "memory", "100GiB")
    page.click("#start")
    page.wait("document.querySelector('#field-memory[aria-invalid]')", "the server's answer at the field")
    expect(page.evaluate("document.querySelector('#field-memory-error').textContent"), "no message")
    session.shoot(page, "wrong-limit")
    set_field(page, "memory", "")
    page.click("#start")
    wait_for_outcome(page, "ok")


# Delays the responses to requests with a wrong token until deliver() is called.
DELAY_REFUSALS = """(() => {
    const real = window.fetch;
    const refusals = { asked: 0, seen: 0 };
    const delivered = new Promise(resolve => { refusals.deliver = resolve; });
    window.refusals = refusals;
    window.fetch = async (path, options) => {
        const is_wrong = options?.headers?.Authorization === 'Bearer not-a-token';
        refusals.asked += is_wrong;
        const answer = await real(path, options);
        if (is_wrong) {
            await delivered;
            setTimeout(() => refusals.seen++, 100); // when the page has looked at it
        }
        return answer;
    };
})()"""


@test
def token(context):
    """If tokens are required, the page asks for one, keeps it only for its tab, and sends it."""
    with Session(context) as session:
        data = os.path.join(session.directory, "data")
        done = context.command([context.curfew, "token", "create", "--data", data, "--name", "me"])
        expect_equal("token create", done.code, 0)
        words = re.search(rb"\bcurfew_\S+", done.out)
        expect(words, f"no token: {done.out!r}")
        session.stop_server()
        session.start_server()
        page = session.browser.open(session.url)
        page.wait("document.querySelector('#token-dialog').open", "the page to ask for a token")
        session.shoot(page, "token")
        expect(
            "curfew token create" in page.evaluate("document.querySelector('#token-reason').textContent"),
            "it is not said where tokens come from",
        )
        page.type("not-a-token")
        page.press("Enter")
        page.wait(
            "document.querySelector('#token-reason').textContent.includes('does not take')", "the token to be refused"
        )
        session.shoot(page, "token-refused")
        page.evaluate(DELAY_REFUSALS)
        page.wait("refusals.asked > 0", "a request with the wrong token")
        page.wait("document.querySelector('#token-dialog').open", "the page to ask again")
        page.evaluate("document.querySelector('#token').focus()")
        page.type(words[0].decode())
        page.press("Enter")
        page.wait("document.querySelector('#pulse').dataset.state === 'good'", "the token to be taken")
        # A late response to the wrong token does not end the connection with the right one.
        page.evaluate("refusals.deliver()")
        page.wait("refusals.seen === refusals.asked", "the late answers")
        page.click("#start")
        wait_for_outcome(page, "ok")
        page.click("#metrics-link")
        page.wait("document.querySelector('#metrics-text').textContent.includes('not allowed')", "no figures of others")
        page.click("#metrics-close")
        page.click("nav a[href='#machine']")
        page.wait("!document.querySelector('#machine-own').hidden", "whose figures these are")
        session.shoot(page, "machine-of-a-token")
        page.click("nav a[href='#run']")
        page.reload()
        wait_until_ready(page)
        wait_for_outcome(page, "ok")
        expect_equal("kept beyond the tab", page.evaluate("[localStorage.length, document.cookie]"), [0, ""])
        expect(not any(words[0].decode() in url for url in page.urls), "the token is in an address")
        page.click("nav a[href='#machine']")
        done = context.command(
            [context.curfew, "token", "create", "--data", data, "--scopes", "run,read,metrics", "--name", "all"]
        )
        wider = done.out.decode().strip()
        session.wait_until_taken(wider)
        page.click("#token-button")
        page.type(wider)
        page.press("Enter")
        page.wait("document.querySelector('#machine-own').hidden", "the figures of the server")
        page.click("#metrics-link")
        page.wait("document.querySelector('#metrics-text').textContent.includes('curfew_runs_total')", "the figures")
        page.click("#metrics-close")
        expect_clean(page)


# ---- The other views ----------------------------------------------------------------------------------------------


@on_page
def languages(session, page):
    """Modules and TypeScript run as such, from the editor and stored."""
    for lang, text in (
        ("ts", "const n: number = 41; n + 1"),
        ("mts", "export default (await Promise.resolve(42)) as number"),
        ("mjs", "export default await Promise.resolve(42)"),
    ):
        page.evaluate("location.hash = '#run'")
        write_program(page, text)
        page.evaluate(
            f"(() => {{ const list = document.querySelector('#language'); list.value = '{lang}';"
            " list.dispatchEvent(new Event('change')); })()"
        )
        page.click("#start")
        page.wait(f"{card()}?.dataset.outcome === 'ok'", f"{lang} to run")
        page.evaluate("location.hash = '#programs'")
        page.evaluate(f"document.querySelector('#program-name').value = 'typed-{lang}'")
        page.click("#program-form button[value=text]")
        page.wait(f"document.querySelector('.program[data-name=typed-{lang}]')", "the stored program")
        report, _ = session.ask("POST", "v1/runs", {"program": f"typed-{lang}", "wait": True})
        expect_equal("its value", json.loads(report)["value"], 42)


@on_page
def history_and_programs(session, page):
    for example, outcome in (("hello", "ok"), ("throws", "threw")):
        choose(page, example)
        page.click("#start")
        page.wait(f"{card()}?.dataset.outcome === '{outcome}'", outcome)
    page.evaluate("location.hash = '#programs'")
    choose(page, "hello")
    page.evaluate("document.querySelector('#program-name').value = 'greeting'")
    page.click("#program-form button[value=text]")
    page.wait("document.querySelector('.program[data-name=greeting]')", "the stored program")
    module = b'(module (memory (export "mem") 1) (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
    session.put("v1/programs/sum.wat", module)
    page.evaluate("location.hash = '#run'")
    page.evaluate("location.hash = '#programs'")
    page.wait(
        "document.querySelector('.program[data-name=\\'sum.wat\\'] .program-exports')?.textContent === 'exports mem (memory) · add (i32, i32) -> i32'",
        "what it exports",
    )
    session.shoot(page, "programs")
    page.click(".program[data-name=greeting] button")
    page.wait("document.querySelectorAll('.card[data-outcome=ok]').length === 2", "the stored program to run")
    expect_equal("title", text_of(page, "h3"), "greeting")
    page.evaluate("location.hash = '#history'")
    rows = "document.querySelectorAll('#history-table tbody tr')"
    page.wait(f"{rows}.length === 3", "three rows")
    session.shoot(page, "history")
    page.evaluate(
        "(() => { const list = document.querySelector('#filter-outcome'); list.value = 'threw'; list.dispatchEvent(new Event('change')); })()"
    )
    page.wait(f"{rows}.length === 1 && {rows}[0].textContent.includes('Threw')", "only what threw")
    page.evaluate(
        "(() => { const list = document.querySelector('#filter-outcome'); list.value = ''; list.dispatchEvent(new Event('change')); })()"
    )
    page.wait(f"{rows}.length === 3", "three rows again")
    page.evaluate(
        "(() => { const field = document.querySelector('#filter-program'); field.value = 'greeting'; field.dispatchEvent(new Event('input')); })()"
    )
    page.wait(f"{rows}.length === 1 && {rows}[0].textContent.includes('greeting')", "only runs of the program")
    page.evaluate("location.hash = '#run'")
    page.click("#clear")
    page.wait("document.querySelectorAll('.card').length === 0", "no card")
    page.evaluate("location.hash = '#history'")
    page.wait(f"{rows}.length === 1", "the row")
    page.click("#history-table tbody button")
    page.wait("document.querySelectorAll('.card[data-outcome=ok]').length === 1", "the run of the history as a card")
    page.evaluate("location.hash = '#programs'")
    page.wait("document.querySelector('.program[data-name=greeting]')", "the stored program")
    # Deleting needs a second click. The list may be redrawn in between, which cancels the first one.
    page.wait(
        """(() => {
        document.querySelector('.program[data-name=greeting] .quiet')?.click();
        return document.querySelector('.program[data-name=greeting]') === null;
    })()""",
        "the program to go",
    )


@on_page
def machine(session, page):
    set_field(page, "timeout", "10m")
    write_program(page, SPIN)
    page.click("#start")
    wait_for_state(page, "running")
    wait_for_focus(page, ".card")
    page.press("Escape")
    wait_for_outcome(page, "cancelled")
    page.evaluate("location.hash = '#machine'")
    page.wait("document.querySelectorAll('#latency-chart [data-count]').length > 0", "the histogram of stops")
    count = page.evaluate(
        "[...document.querySelectorAll('#latency-chart [data-count]')].reduce((sum, row) => sum + Number(row.dataset.count), 0)"
    )
    expect_equal("stops in the histogram", count, 1)
    page.wait("document.querySelectorAll('#machine-facts .tile').length >= 5", "figures")
    page.wait(
        "document.querySelector('#calibration-status').textContent.startsWith('Not measured')",
        "that nothing was measured",
    )
    page.click("#calibrate")
    page.wait("document.querySelector('#calibrate').disabled", "the calibration to begin")
    page.wait(
        "!document.querySelector('#calibrate').disabled && !document.querySelector('#calibration-table').hidden",
        "the calibration",
        120,
    )
    rows = page.evaluate("[...document.querySelectorAll('#calibration-table tbody tr')].map((row) => row.textContent)")
    expect_equal("kinds of programs, and a mean", len(rows), 6)
    known = json.loads(session.ask("GET", "v1/calibration")[0])["calibration"]
    expect(
        known["machine"]["cpu"] in page.evaluate("document.querySelector('#calibration-status').textContent"),
        "the machine is not named",
    )
    page.click("#measure-metering")
    page.wait("!document.querySelector('#measure-metering').disabled", "the programs to be run", 120)
    rows = page.evaluate("[...document.querySelectorAll('#metering-table tbody tr')].map((row) => row.textContent)")
    expect_equal("kinds of programs", len(rows), 5)
    session.shoot(page, "machine")
    page.evaluate("document.querySelector('#calibration-heading').scrollIntoView()")
    session.shoot(page, "calibration")
    page.resize(380, 900)
    session.shoot(page, "calibration-narrow")
    page.resize(1280, 900, dark=True)
    session.shoot(page, "machine-dark")
    page.evaluate("location.hash = '#run'")
    session.shoot(page, "run-dark")


# ---- The files ----------------------------------------------------------------------------------------------------


@test
def files(context):
    """The embedded files are complete, small, and name no other host."""
    directory = os.path.join(context.build, "console")
    with open(os.path.join(directory, "list"), encoding="utf-8") as file:
        listed = file.read().split()
    sources = os.listdir(os.path.join(ROOT, "console", "web"))
    expect_equal("files", listed, sorted([*sources, "codemirror.js", "licences.txt"]))
    size = sum(os.path.getsize(os.path.join(directory, name)) for name in listed)
    expect(size < 1 << 20, f"{size} bytes are more than 1 MiB")
    lock = read("console/package-lock.json")
    expect('"resolved"' not in lock and "://" not in lock, "the lock file names a host")
    packages = json.loads(lock)["packages"]
    unpinned = [name for name, package in packages.items() if name and not package.get("integrity")]
    expect_equal("packages without a hash", unpinned, [])
    for name in sources:
        others = [
            url
            for url in re.findall(r"https?://[^\s\"'<>]+", read(f"console/web/{name}"))
            if not url.startswith("http://www.w3.org/2000/svg")
        ]
        expect_equal(f"addresses in {name}", others, [])


def tests(context):
    return [Test("console", function.__name__, function) for function in TESTS]
