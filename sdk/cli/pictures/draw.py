#!/usr/bin/env python3
"""Draws the pictures of the READMEs from a run of `trellis`.

Three messengers of 80x24 run in tmux, with accounts in a temporary directory and a network on loopback, and are
typed into; then the demonstration runs. Takes the path of the program, and if the pictures are to be elsewhere than
beside this file, a directory. Needs tmux and what is in requirements.txt.
"""

import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time

import picture

WIDTH, HEIGHT = 80, 24
NAMES = ["alice", "bob", "carol"]
LOOPBACK = "/ip4/127.0.0.1/tcp/"
NETWORK = ["--no-mdns", "--announce", "--listen"]
# How long anything takes at most, and how long a key does.
TIMEOUT, KEY = 60, 0.3
# How many lines of the demonstration are seen at once, how long each of its steps can be read, and its end.
WINDOW, READING, REST = 26, 3.5, 10


class Terminals:
    """Messengers in tmux."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.addresses = {}
        self.environment = {
            "HOME": directory,
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "TZ": "UTC",
            "TRELLIS_PASSPHRASE": secrets.token_hex(16),
        }

    def trellis(self, *words):
        command = [self.program, *words]
        done = subprocess.run(
            command, env=self.environment, cwd=self.directory, stdout=subprocess.PIPE, timeout=TIMEOUT, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def tmux(self, *words):
        command = ["tmux", "-f", "/dev/null", "-S", os.path.join(self.directory, "tmux"), *words]
        return subprocess.run(
            command, env=self.environment, cwd=self.directory, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def start(self):
        for name in NAMES:
            (account,) = self.trellis("init", "--json", "--store", f"{name}.db")
            self.addresses[name] = account["address"]
        # The first one's name on the network, and a port for it.
        said = self.trellis("doctor", "--json", "--store", f"{NAMES[0]}.db", *NETWORK, f"{LOOPBACK}0")
        peer = next(record["peer"] for record in said if record["type"] == "network")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            at = f"{LOOPBACK}{free.getsockname()[1]}"
        for name in NAMES:
            where = [at, "--serve"] if name == NAMES[0] else [f"{LOOPBACK}0", "--peer", f"{at}/p2p/{peer}"]
            messenger = [self.program, "--store", f"{name}.db", *NETWORK, *where]
            size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
            term = ["env", f"TERM={self.environment['TERM']}"]
            self.tmux("new-session", "-d", "-s", name, *size, *term, *messenger)

    def shown(self, name, *options):
        return self.tmux("capture-pane", "-p", "-t", name, *options)

    def wait(self, name, *patterns):
        """Until all of them are on the screen."""
        end = time.monotonic() + TIMEOUT
        while not all(re.search(pattern, self.shown(name)) for pattern in patterns):
            if time.monotonic() > end:
                raise TimeoutError(f"{name}: {patterns} is not on\n{self.shown(name)}")
            time.sleep(0.1)

    def keys(self, name, *keys):
        for key in keys:
            self.tmux("send-keys", "-t", name, key)
            time.sleep(KEY)

    def write(self, name, text):
        self.tmux("send-keys", "-t", name, "-l", "--", text)

    def say(self, name, text):
        self.write(name, text)
        self.keys(name, "Enter")

    def draw(self, name):
        """What is on a screen, with its colours and with the spaces at the ends of its lines."""
        return picture.draw(self.shown(name, "-e", "-N").rstrip("\n"), "trellis", WIDTH, HEIGHT)

    def end(self):
        try:
            self.tmux("kill-server")
        except subprocess.CalledProcessError:
            pass


def messengers(terminals):
    """Plays a conversation, and gives the pictures by their names."""
    t = terminals
    t.start()
    for name in NAMES:
        t.wait(name, "[1-9] peer")
    pictures = {"first": t.draw("bob")}
    t.say("alice", "/new garden")
    t.wait("alice", "garden  only you, you are owner")
    for name in ["bob", "carol"]:
        t.write("alice", f"/invite {t.addresses[name]}")
        time.sleep(KEY)
        pictures["invite"] = t.draw("alice")
        t.keys("alice", "Enter")
        t.wait(name, r"garden  \d members, you are member")
        t.wait("alice", "- garden: changed: added")
    for name in NAMES:
        t.wait(name, "3 members", r"2 peers", r"weakest link: classical signatures")

    t.say("alice", "frost tonight: minus two, says the radio")
    t.wait("bob", "frost tonight")
    t.wait("carol", "frost tonight")
    t.keys("bob", "Tab", "Up", "r")
    t.say("bob", "then I cover the beans")
    t.wait("carol", "cover the beans")
    t.keys("carol", "Tab", "Up", "Up", "+")
    t.say("carol", "👍")
    t.wait("alice", r"\[👍")
    t.say("carol", "wear gloves, the fleece is stiff")
    t.wait("bob", "wear gloves")
    # Another group, into which the first one is invited.
    t.say("bob", "/new orchard")
    t.wait("bob", "orchard  only you")
    t.say("bob", f"/invite {t.addresses['alice']}")
    t.wait("alice", r"orchard +│")
    t.wait("bob", "2 members")
    t.say("bob", "the apples are in; who has a press?")
    t.wait("alice", r"orchard +1│", r"all have it")
    t.say("alice", "soup at seven, at mine. Bring the fleece in with you, it has to dry")
    t.wait("alice", r"has to dry \(all have it")
    pictures["messenger"] = t.draw("alice")
    for name, key, seen in [
        ("members", "F2", "┌ Members"),
        ("security", "F3", "┌ Security"),
        ("help", "?", "┌ Help"),
    ]:
        t.keys("alice", key)
        t.wait("alice", seen)
        pictures[name] = t.draw("alice")
        t.keys("alice", "Escape")
    return pictures


def demo(terminals):
    """Runs the demonstration, and gives its pictures by their names."""
    command = [terminals.program, "demo", "--fast"]
    environment = {**terminals.environment, "TMPDIR": terminals.directory}
    lines, pauses = [(0, "$ trellis demo")], 1
    start = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            # Whoever looks has time to read each step, which the program was not asked for.
            pauses += READING if line == "\n" else 0
            lines.append((time.monotonic() - start + pauses, line.rstrip("\n")))
    if process.returncode:
        raise RuntimeError("the demonstration failed: " + lines[-1][1])
    text = "\n".join(line for _, line in lines)
    return {
        "demo": picture.play(lines, "trellis demo", WIDTH, WINDOW, REST),
        "demo-all": picture.draw(text, "trellis demo", WIDTH),
    }


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: draw.py PROGRAM [DIRECTORY]")
    program = str(pathlib.Path(sys.argv[1]).resolve(strict=True))
    out = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else __file__ + "/..").resolve()
    with tempfile.TemporaryDirectory() as directory:
        terminals = Terminals(program, directory)
        try:
            pictures = {**messengers(terminals), **demo(terminals)}
        finally:
            terminals.end()
    for name, svg in pictures.items():
        (out / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"{name}.svg: {len(svg.encode())} bytes")


if __name__ == "__main__":
    main()
