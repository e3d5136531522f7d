# SPDX-License-Identifier: Apache-2.0
"""The environment of the nodes in the torture: each in its own network namespace, or all on this machine; their clocks;
and the two databases, one of which is the replica of the other."""

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from integration.postgres import PASSWORD, Postgres  # noqa: E402


def call(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def must(*words):
    done = call(*words)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


# ---- Networks ----------------------------------------------------------------------------------------------------------


class Here:
    """All nodes on this machine. There are no links to cut."""

    def __init__(self, why):
        self.why, self.address, self.databases, self.network = why, "127.0.0.1", [None, None], None

    def join(self, number):
        return "127.0.0.1", []

    def close(self):
        pass


class Network:
    """A bridge with a link to a namespace for each node. Needs root."""

    why = None

    def __init__(self, nodes):
        self.name, self.prefix = f"cf{os.getpid() % 100000}", f"10.{random.randrange(100, 250)}.{os.getpid() % 250}"
        self.network = f"{self.prefix}.0/24"
        self.databases = [f"{self.prefix}.1", f"{self.prefix}.2"]
        self.address = self.databases[0]
        self.count = nodes
        must("ip", "link", "add", self.name, "type", "bridge")
        try:
            for address in self.databases:
                must("ip", "address", "add", f"{address}/24", "dev", self.name)
            must("ip", "link", "set", self.name, "up")
            for number in range(nodes):
                self.add(number)
        except RuntimeError:
            self.close()
            raise

    def add(self, number):
        inside, outside = self.inside(number), self.link(number)
        must("ip", "netns", "add", inside)
        must("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", inside)
        must("ip", "link", "set", outside, "master", self.name, "up")
        must("ip", "-n", inside, "address", "add", f"{self.prefix}.{10 + number}/24", "dev", "eth0")
        must("ip", "-n", inside, "link", "set", "eth0", "up")
        must("ip", "-n", inside, "link", "set", "lo", "up")

    def inside(self, number):
        return f"{self.name}n{number}"

    def link(self, number):
        return f"{self.name}v{number}"

    def join(self, number):
        """The address of a node, and the beginning of its command."""
        return f"{self.prefix}.{10 + number}", ["ip", "netns", "exec", self.inside(number)]

    def cut(self, number, seconds):
        must("ip", "link", "set", self.link(number), "down")
        time.sleep(seconds)
        must("ip", "link", "set", self.link(number), "up")

    def slow(self, number, seconds):
        """Delays the packets to a node, and drops some of them."""
        link = self.link(number)
        must("tc", "qdisc", "add", "dev", link, "root", "tbf", "rate", "128kbit", "burst", "4kb", "latency", "400ms")
        time.sleep(seconds)
        must("tc", "qdisc", "del", "dev", link, "root")

    def close(self):
        for number in range(self.count):
            call("ip", "netns", "del", self.inside(number))
            call("ip", "link", "del", self.link(number))
        call("ip", "link", "del", self.name)


def make_network(nodes):
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return Here("network namespaces need root and ip")
    try:
        return Network(nodes)
    except RuntimeError as error:
        return Here(f"network namespaces: {error}")


# ---- Clocks ------------------------------------------------------------------------------------------------------------


class Clocks:
    """Moves the wall clock of each node separately."""

    def __init__(self, directory):
        self.directory, self.library, self.why = directory, os.path.join(directory, "clock.so"), None
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c")
        try:
            must(os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", self.library, source)
        except (OSError, RuntimeError) as error:
            self.why = f"clocks need a C compiler: {error}"

    def path(self, number):
        return os.path.join(self.directory, f"clock{number}")

    def move(self, number, seconds):
        mode = "r+b" if os.path.exists(self.path(number)) else "wb"
        with open(self.path(number), mode) as file:
            file.write(struct.pack("d", seconds))

    def environment(self, number):
        if self.why is not None:
            return {}
        if not os.path.exists(self.path(number)):
            self.move(number, 0)
        return {"LD_PRELOAD": self.library, "CURFEW_TEST_CLOCK": self.path(number)}


# ---- Databases ---------------------------------------------------------------------------------------------------------

SIZE = 640 << 20


class Pair:
    """A PostgreSQL and its replica, which stores each commit before the client is notified of it. Each has its own
    small disk."""

    def __init__(self, network):
        self.network = network
        self.why = None if os.geteuid() == 0 else "small disks need root"
        common = ("max_wal_size=64MB", "wal_keep_size=32MB", "hot_standby=on", "fsync=on")
        self.settings = [(*common, f"listen_addresses={address or ''}") for address in network.databases]
        self.members = []
        try:
            for number in range(2):
                self.members.append(self.make(number))
            self.follow_up()
        except BaseException:
            self.close()
            raise

    def make(self, number):
        source = self.members[0] if number > 0 else None
        size = SIZE if self.why is None else None
        return Postgres(*self.settings[number], listen=self.network.network, source=source, size=size)

    @property
    def primary(self):
        return self.members[0]

    def url(self):
        """The one of the two that accepts writes."""
        places = [address or member.directory for address, member in zip(self.network.databases, self.all_members())]
        if self.network.network is None:
            return f"postgresql://owner:{PASSWORD}@/postgres?host={','.join(places)}&target_session_attrs=read-write"
        return f"postgresql://owner:{PASSWORD}@{','.join(places)}/postgres?target_session_attrs=read-write"

    def all_members(self):
        """The two in the order in which they were created."""
        return sorted(self.members, key=lambda member: self.settings.index(tuple(member.settings)))

    def query(self, text):
        return self.primary.query(text)

    def set_names(self, names):
        self.primary.query(f"ALTER SYSTEM SET synchronous_standby_names='{names}'")
        self.primary.query("SELECT pg_reload_conf()")

    def follow_up(self):
        """Waits until the replica has everything. From then on no commit is missing there."""
        end = time.monotonic() + 60
        while self.query("SELECT count(*) FROM pg_stat_replication WHERE state='streaming'") != "1":
            if time.monotonic() > end:
                raise RuntimeError("the replica does not follow")
            time.sleep(0.1)
        self.set_names("*")

    def restart(self, how, seconds):
        self.primary.stop(how)
        time.sleep(seconds)
        self.primary.start()

    def fail_over(self, seconds):
        """The primary is killed, the replica takes over, and the killed one is created anew from it."""
        dead = self.primary
        dead.stop(signal.SIGQUIT)
        time.sleep(seconds)
        self.members.reverse()
        self.query("SELECT pg_promote(true, 60)")
        self.set_names("")
        dead.copy(self.primary)
        dead.start()
        self.follow_up()

    def fill(self, seconds):
        """Fills its disk for a while, after which PostgreSQL may end."""
        path = os.path.join(self.primary.directory, "ballast")
        with open(path, "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)) > 0:
                    pass
            except OSError:
                pass
        time.sleep(seconds)
        os.unlink(path)
        time.sleep(0.5)
        if self.primary.process.poll() is not None:
            self.primary.start()

    def close(self):
        for member in self.members:
            member.close()
