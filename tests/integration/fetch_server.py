# SPDX-License-Identifier: Apache-2.0
"""An HTTP server for the tests of fetch, on free ports of the loopback addresses. It gives the answer that is asked
for, valid or invalid, and records what it saw of each connection."""

import asyncio
import base64
import gzip
import hashlib
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import zlib

from .harness import Patience, make_certificate

MIB = 1 << 20


class Connection:
    """One connection. It reads requests and answers them by their path."""

    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer
        self.number = next(server.numbers)
        self.requests = 0

    async def serve(self):
        try:
            while await self.serve_one():
                pass
        except (ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            self.writer.close()

    async def serve_one(self):
        line = await self.reader.readline()
        if not line:
            return False
        self.method, target, _ = line.decode("latin-1").split(" ", 2)
        self.headers = []
        while line := (await self.reader.readline()).decode("latin-1").rstrip("\r\n"):
            name, _, value = line.partition(":")
            self.headers.append((name.lower(), value.strip()))
        self.requests += 1
        parsed = urllib.parse.urlsplit(target)
        self.path, self.query = parsed.path, dict(urllib.parse.parse_qsl(parsed.query, keep_blank_values=True))
        name = self.path.strip("/").split("/")[0].replace("-", "_")
        self.server.seen.append((name, self.method, self.path))
        return await getattr(self, "do_" + name)()

    def header(self, name):
        return next((value for key, value in self.headers if key == name), None)

    async def body_chunks(self):
        if (self.header("transfer-encoding") or "") == "chunked":
            while size := int((await self.reader.readline()).strip(), 16):
                yield await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
        elif self.header("content-length"):
            left = int(self.header("content-length"))
            while left:
                piece = await self.reader.read(min(left, 65536))
                if not piece:
                    raise ConnectionError
                left -= len(piece)
                yield piece

    async def write(self, data):
        self.writer.write(data if isinstance(data, bytes) else data.encode("latin-1"))
        await self.writer.drain()

    async def answer(self, body=b"", status="200 OK", headers=()):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
        await self.write("\r\n".join(lines) + "\r\n\r\n")
        if self.method != "HEAD":
            await self.write(body)
        return True

    async def until_closed(self, token):
        """Records when the other side closes."""
        self.server.note(token, "open")
        try:
            while await self.reader.read(65536):
                pass
        except OSError:
            pass
        self.server.note(token, "closed")
        return False

    # ---- The answers ----

    async def do_echo(self):
        body = b"".join([piece async for piece in self.body_chunks()])
        seen = {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "length": len(body),
            "body": body[:1000].decode("latin-1"),
            "connection": self.number,
            "request": self.requests,
        }
        return await self.answer(json.dumps(seen).encode(), headers=[("Content-Type", "application/json")])

    async def do_status(self):
        return await self.answer(
            b"" if self.path.endswith(("204", "304")) else b"a body", f"{self.path.split('/')[2]} Some Text"
        )

    async def do_headers(self):
        return await self.answer(
            b"x",
            headers=[
                ("X-Two", "a"),
                ("x-two", "b"),
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
                ("X-Latin", "caf\xe9"),
                ("X-Empty", ""),
            ],
        )

    async def do_no_colon(self):
        await self.write("HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\nok")
        return False

    async def do_redirect(self):
        async for _ in self.body_chunks():
            pass
        return await self.answer(b"moved", f"{self.query.get('status', '302')} Found", [("Location", self.query["to"])])

    async def do_loop(self):
        return await self.answer(b"", "302 Found", [("Location", f"/loop/{int(self.path.split('/')[2]) + 1}")])

    async def do_wait(self):
        return await self.until_closed(self.path)

    async def do_when_closed(self):
        """Answers when the connections with these paths have been closed."""
        for path in self.query["paths"].split():
            while "closed" not in self.server.notes.get(path, {}):
                await asyncio.sleep(0.005)
        return await self.answer(b"closed")

    async def do_slow(self):
        """A byte every 10 ms, for ever."""
        self.server.note(self.path, "open")
        await self.write("HTTP/1.1 200 OK\r\n\r\n")
        try:
            while not self.writer.is_closing() and not self.reader.at_eof():
                await self.write(b"x")
                await asyncio.sleep(0.01)
        except OSError:
            pass
        self.server.note(self.path, "closed")
        return False

    async def do_chunks(self):
        await self.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(int(self.query["count"])):
            await self.write(f"6\r\nchunk{i % 10}\r\n")
            await asyncio.sleep(0.02)
        await self.write("0\r\n\r\n")
        return True

    async def do_bytes(self):
        """Sends many bytes. Records how many could be sent."""
        count, sent, piece = int(self.query["count"]), 0, bytes(range(256)) * 256
        await self.write(f"HTTP/1.1 200 OK\r\nContent-Length: {count}\r\n\r\n")
        try:
            while sent < count:
                await self.write(piece[: count - sent])
                sent += min(len(piece), count - sent)
                self.server.counts[self.path] = sent
        except OSError:
            return False
        return True

    async def do_upload(self):
        """Reads the body only after a while."""
        await asyncio.sleep(0.3)
        total = 0
        async for piece in self.body_chunks():
            total += len(piece)
        return await self.answer(str(total).encode())

    async def frame(self):
        """The next frame of a WebSocket: its first byte and its data, which must be masked."""
        first, length = await self.reader.readexactly(2)
        if not length & 0x80:
            raise ConnectionError("a frame of a client is not masked")
        length &= 0x7F
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        mask = await self.reader.readexactly(4)
        data = await self.reader.readexactly(length)
        key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        return first, (int.from_bytes(data, "big") ^ key).to_bytes(length, "big")

    async def send_frame(self, first, data):
        length = len(data)
        size = (
            bytes([length])
            if length < 126
            else b"\x7e" + length.to_bytes(2, "big")
            if length < 65536
            else b"\x7f" + length.to_bytes(8, "big")
        )
        await self.write(bytes([first]) + size + data)

    async def do_socket(self):
        """A WebSocket that echoes each message, or does what its path says."""
        kind = self.path.split("/")[2]
        accept = base64.b64encode(
            hashlib.sha1((self.header("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        ).decode()
        if kind == "refused":
            return await self.answer(b"no", "403 Forbidden")
        protocol = (self.header("sec-websocket-protocol") or "").split(",")[-1].strip()
        await self.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
            f"Sec-WebSocket-Accept: {'wrong' if kind == 'accept' else accept}\r\n"
            + (f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol and kind != "silent" else "")
            + "\r\n"
        )
        if kind == "gone":
            return False
        if kind == "flood":
            return await self.flood(self.path.split("/")[3])
        if kind == "hex":
            await self.write(bytes.fromhex(self.path.split("/")[3]))
        self.server.note(self.path, "open")
        while True:
            first, data = await self.frame()
            self.server.note(self.path, f"{first:x}")
            if first == 0x88:
                await self.send_frame(first, data)
                return False
            if data == b"close":
                await self.send_frame(0x88, (4001).to_bytes(2, "big") + b"as asked")
            elif data == b"parts":
                await self.send_frame(0x01, b"one ")
                await self.send_frame(0x89, b"ping")
                await self.send_frame(0x00, b"two ")
                await self.send_frame(0x80, b"three")
            elif first in (0x81, 0x82):
                await self.send_frame(first, data)

    async def flood(self, kind):
        """A WebSocket that sends much of one kind, and reads nothing."""
        if kind == "messages":
            await self.write(b"\x81\x01a\x82\x01b\x81\x01c")  # and it closes the connection
            return False
        if kind == "pings":
            for _ in range(100):
                await self.write(b"\x89\0" * 1000)
            for _ in range(100):
                await self.write((b"\x89\x7d" + bytes(125)) * 1000)
            await self.write(b"\x81\4done")
        elif kind == "parts":
            await self.write(b"\1\0")
            for _ in range(200):
                await self.write(b"\0\0" * 1000 + b"\0\1x" * 500)
            await self.write(b"\x80\0")
        elif kind == "closed":
            await self.write(b"\x88\2\3\xe9")
            for _ in range(64):
                await self.write(bytes(MIB))
        await self.until_closed(self.path)
        return False

    async def do_events(self):
        """Server-sent events, whose stream ends. The second time it sends the Last-Event-ID of the client."""
        if self.query.get("type"):
            return await self.answer(
                b"data: x\n\n", self.query.get("status", "200 OK"), [("Content-Type", self.query["type"])]
            )
        last = self.header("last-event-id")
        if self.path == "/events/none":
            return await self.answer(b"retry: 0\n\n", headers=[("Content-Type", "text/event-stream")])
        if self.path == "/events/together":
            return await self.answer(
                b"data: a\n\ndata: b\n\ndata: c\n\n", headers=[("Content-Type", "text/event-stream")]
            )
        await self.write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
        )
        if last is not None:
            await self.write(f"data: again after {last}\n\n")
            return await self.until_closed(self.path)
        for piece in (
            b"\xef\xbb\xbf: nothing\nretry: 10\nid: 1\ndata: caf\xc3",
            b"\xa9\r",
            b"\ndata:  two\r\r",
            b"event: named\nid: 7\ndata\n\nid: 8\n\nunknown: x\ndata: lost",
        ):
            await self.write(piece)
            await asyncio.sleep(0.02)
        return False

    async def do_many_headers(self):
        parameters = ";".join(f"a{i}=b" for i in range(2000))
        many = [(f"x-{i}", "v") for i in range(4000)]
        return await self.answer(b"", headers=[("Content-Type", f"text/plain;{parameters}"), *many])

    async def do_stream(self):
        """Echoes each piece when it arrives."""
        await self.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        async for piece in self.body_chunks():
            await self.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await self.write("0\r\n\r\n")
        return True

    async def do_gzip(self):
        data = gzip.compress(b"hello " * 1000)
        kind = self.path.split("/")[2]
        if kind == "twice":
            data += gzip.compress(b"again")
        if kind == "deflate":
            data = zlib.compress(b"hello " * 1000)
        elif kind == "deflate-raw":
            packer = zlib.compressobj(wbits=-15)
            data = packer.compress(b"hello " * 1000) + packer.flush()
        if kind == "cut":
            data = data[:-20]
        if kind == "damaged":
            data = data[:20] + bytes([data[20] ^ 0xFF, data[21] ^ 0xFF]) + data[22:]
        return await self.answer(
            data, headers=[("Content-Encoding", "deflate" if kind.startswith("deflate") else "gzip")]
        )

    async def do_coded(self):
        """The body, said to have the query's codings."""
        body = b"".join([piece async for piece in self.body_chunks()])
        return await self.answer(body, headers=[("Content-Encoding", self.query["by"])])

    async def do_bomb(self):
        return await self.answer(self.server.bomb(), headers=[("Content-Encoding", "gzip")])

    async def do_garbage(self):
        await self.write(bytes(range(256)) * 4 + b"\r\n\r\n")
        return False

    async def do_bad_header(self):
        await self.write("HTTP/1.1 200 OK\r\n: no name\r\nbad name: x\r\nGood: yes\r\nContent-Length: 2\r\n\r\nok")
        return False

    async def do_odd_header(self):
        """Sends an invalid header after a valid one."""
        kind = {"cr": b"a\rb", "nul": b"a\0b", "control": b"a\x01b", "latin": b"caf\xe9", "long": b"y" * 60000}[
            self.path.split("/")[2]
        ]
        await self.write(
            b"HTTP/1.1 200 Odd\x01Text\xff\r\nGood: yes\r\nOdd: " + kind + b"\r\nContent-Length: 2\r\n\r\nok"
        )
        return False

    async def do_odd_redirect(self):
        await self.write(b"HTTP/1.1 302 Found\r\nLocation: http://a\rb/\r\nContent-Length: 0\r\n\r\n")
        return False

    async def do_hold(self):
        """Answers after a while. Records how many requests are in progress at once."""
        counts = self.server.counts.setdefault(self.path, {"now": 0, "most": 0})
        counts["now"] += 1
        counts["most"] = max(counts["most"], counts["now"])
        await asyncio.sleep(0.02)
        counts["now"] -= 1
        return await self.answer(b"held")

    async def do_endless_headers(self):
        await self.write("HTTP/1.1 200 OK\r\n")
        for i in range(10**7):
            await self.write(f"X-{i}: {'y' * 900}\r\n")

    async def do_long_header(self):
        await self.write("HTTP/1.1 200 OK\r\nX: ")
        for _ in range(1000):
            await self.write("y" * 65536)

    async def do_endless_chunk(self):
        """The size of a chunk, and an extension of it that never ends."""
        await self.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
        while True:
            await self.write("y" * MIB)

    async def do_early(self):
        await self.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        return await self.answer(b"late", headers=[("X-Final", "1")])

    async def do_partial(self):
        await self.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
        return False

    async def do_nothing(self):
        return False

    async def do_reset(self):
        handle = self.writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        return False


class Server:
    def __init__(self):
        self.seen, self.notes, self.counts = [], {}, {}
        self.numbers = iter(range(1, 10**9))
        self._bomb = None
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.port = self._listen("127.0.0.1")
        try:
            self.port6 = self._listen("::1")
        except OSError:
            self.port6 = None

    def _listen(self, address, context=None):
        async def serve(reader, writer):
            await Connection(self, reader, writer).serve()

        async def listen():
            started = await asyncio.start_server(serve, address, 0, backlog=1024, ssl=context)
            return started.sockets[0].getsockname()[1]

        return asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    def listen_tls(self, directory):
        """Listens with a certificate that nobody signed, and returns the port."""
        key, certificate = make_certificate(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return self._listen("127.0.0.1", context)

    def bomb(self):
        """1 GiB of zeros, compressed to 1 MiB."""
        with self._lock:
            if self._bomb is None:
                packer = zlib.compressobj(9, zlib.DEFLATED, 31)
                self._bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(1024)) + packer.flush()
            return self._bomb

    def note(self, token, what):
        self.notes.setdefault(token, {})[what] = time.monotonic()

    def wait_for(self, token, what, seconds):
        """The time when this was recorded. None: it was not."""
        patience = Patience(seconds)
        while not patience.is_over():
            if what in self.notes.get(token, {}):
                return self.notes[token][what]
            time.sleep(0.005)
        return None
