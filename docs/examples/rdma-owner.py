#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An owner of RDMA memory that lets go of it when it is asked.

It speaks org.pinguard.Owner over plain varlink: JSON objects, each followed by a
NUL byte, on a Unix socket. It needs Python's standard library and pyverbs. It does
what rdma-owner.c does with libpinguard.
"""
import argparse
import ctypes
import json
import mmap
import os
import select
import socket
import sys
import time

from pyverbs.device import Context, get_device_list
from pyverbs.mr import MR
from pyverbs.pd import PD
import pyverbs.enums as enums

INTERFACE = "org.pinguard.Owner."
MESSAGE_MAX_BYTES = 16 << 20
BACKOFF_MIN, BACKOFF_MAX = 0.1, 5.0  # seconds
PATIENCE = 2.0  # for the service, before pinning without it


class Lost(Exception):
    """The connection is gone, or nothing can be done with it."""


class Connection:
    """One connection to the service."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.buffer = b""
        try:
            self.socket.settimeout(BACKOFF_MAX)
            self.socket.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def call(self, method, parameters, more=False):
        message = {"method": INTERFACE + method, "parameters": parameters}
        if more:
            message["more"] = True
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        """Read what is there, or wait for it."""
        data = self.socket.recv(65536)
        if not data:
            raise Lost("the service closed the connection")
        self.buffer += data
        if len(self.buffer) > MESSAGE_MAX_BYTES and b"\0" not in self.buffer:
            raise Lost("a message is too large")

    def messages(self):
        """The whole messages that have been received."""
        while b"\0" in self.buffer:
            text, self.buffer = self.buffer.split(b"\0", 1)
            try:
                message = json.loads(text)
            except ValueError as error:
                raise Lost(f"no JSON: {error}") from error
            if not isinstance(message, dict):
                raise Lost("no varlink")
            yield message


class Regions:
    """Memory, and the memory regions that pin it."""

    def __init__(self, options):
        names = [device.name.decode() for device in get_device_list()]
        if not names or options.device not in (None, *names):
            sys.exit(f"cannot open the RDMA device {options.device or ''}")
        self.device = options.device or names[0]
        self.size, self.count = options.size, options.count
        self.pd = PD(Context(name=self.device))
        size = self.size * self.count
        if options.file:
            fd = os.open(options.file, os.O_RDWR | os.O_CLOEXEC)
            # a character device says no size, so that mmap() needs flags and length
            self.memory = mmap.mmap(fd, size, mmap.MAP_SHARED)
            os.close(fd)
        else:
            self.memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.regions = {}

    def pin(self):
        for i in range(self.count):
            address = self.address + i * self.size
            self.regions[address] = MR(
                self.pd, self.size, enums.IBV_ACCESS_LOCAL_WRITE, address=address)
        print(f"pinned {self.count} regions of {self.size} bytes"
              f" at {self.address:#x} on {self.device}")

    def release(self, pins):
        """Deregister the regions that one of the pins lies in."""
        n = 0
        for pin in pins:
            if pin["kind"] != "rdma" or pin.get("address") is None:
                continue
            first, end = int(pin["address"], 16), int(pin["address"], 16) + pin["bytes"]
            for address in [a for a in self.regions if a < end and first < a + self.size]:
                self.regions.pop(address).close()
                n += 1
        print(f"deregistered {n} regions")


class Owner:
    def __init__(self, options, regions):
        self.options, self.regions = options, regions
        self.stream = None
        self.registered = False
        self.backoff, self.retry_at = 0.0, time.monotonic()
        self.deferred = None  # a request
        self.deferred_until = 0.0

    def connect(self):
        self.stream = Connection(self.options.socket)
        self.stream.call("Register", {}, more=True)

    def lose(self, error):
        if self.stream:
            self.stream.close()
        # requests end with the connection; the service asks again on the next
        self.stream, self.registered, self.deferred = None, False, None
        self.backoff = min(max(2 * self.backoff, BACKOFF_MIN), BACKOFF_MAX)
        self.retry_at = time.monotonic() + self.backoff
        print(f"not connected, trying again: {error}")

    def complete(self, token, result, reason=None):
        """Answer on a second connection: the first is busy with Register."""
        try:
            connection = Connection(self.options.socket)
            try:
                connection.call("Complete", {"token": token, "result": result, "reason": reason})
                reply = None
                while reply is None:
                    connection.receive()
                    reply = next(connection.messages(), None)
            finally:
                connection.close()
        except (OSError, Lost) as error:
            print(f"cannot answer {token}: {error}")
            return
        error = reply.get("error")
        if error == INTERFACE + "StillPinned":
            left = reply["parameters"]
            print(f"completed {token}: {left['pins']} pins, {left['bytes']} bytes are left")
        else:
            print(f"completed {token}: {error or 'accepted'}")

    def release(self, request):
        self.regions.release(request["pins"])
        self.complete(request["token"], "released")

    def on_request(self, request):
        token = request["token"]
        print(f"asked {token}: {len(request['pins'])} pins, reason {request['reason']}"
              + (", somebody waits" if request["mode"] == "sync" else "")
              + (", a reminder" if request["reminder"] else ""))
        for failure in request.get("failures", []):
            lost = "lost" if failure["data_lost"] else "good yet"
            if failure["address"] is None:
                print(f"failed: some of {failure['bytes']} bytes, content {lost}")
            else:
                print(f"failed: {failure['bytes']} bytes at {failure['address']}, content {lost}")
        if self.options.silent:
            return
        if self.options.refuse:
            self.complete(token, "refused", "told to refuse")
        elif not self.options.defer:
            self.release(request)
        elif not self.deferred:  # one is enough for an example
            self.deferred = request
            self.deferred_until = time.monotonic() + self.options.defer / 1000
            self.complete(token, "deferred", "told to wait")

    def on_message(self, message):
        if "error" in message:
            raise Lost(message["error"])
        if not message.get("continues"):
            raise Lost("the service ended the registration")
        if not self.registered:
            self.registered, self.backoff = True, 0.0
            print("registered")
        parameters = message.get("parameters") or {}
        if parameters.get("request"):
            self.on_request(parameters["request"])
        token = parameters.get("withdrawn")
        if token:
            print(f"withdrawn {token}")
            if self.deferred and self.deferred["token"] == token:
                self.deferred = None

    def turn(self, until):
        """Wait until that time at most, for ever with None, and do what is due."""
        times = [t for t in (until, None if self.stream else self.retry_at,
                             self.deferred_until if self.deferred else None) if t is not None]
        timeout = max(0.0, min(times) - time.monotonic()) if times else None
        readable, _, _ = select.select([self.stream.socket] if self.stream else [], [], [], timeout)
        try:
            if self.stream is None and time.monotonic() >= self.retry_at:
                self.connect()
            if readable:
                self.stream.receive()
                for message in self.stream.messages():
                    self.on_message(message)
        except (OSError, Lost, KeyError, TypeError) as error:
            self.lose(error)
        if self.deferred and time.monotonic() >= self.deferred_until:
            request, self.deferred = self.deferred, None
            self.release(request)

    def run(self):
        # first: a policy may let registered owners alone pin device memory
        patience = time.monotonic() + PATIENCE
        while not self.registered and time.monotonic() < patience:
            self.turn(patience)
        self.regions.pin()
        while True:
            self.turn(None)


def size(text):
    shift = {"K": 10, "M": 20, "G": 30}.get(text[-1:], 0)
    return int(text[:-1] if shift else text, 0) << shift


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--device", help="RDMA device, by default the first")
    parser.add_argument("--size", type=size, default=8 << 20, help="of each memory region")
    parser.add_argument("--count", type=int, default=1, help="memory regions")
    parser.add_argument("--file", help="memory of a file, such as /dev/dax0.0, not anonymous")
    parser.add_argument("--socket", default="/run/pinguard/control.sock", help="of the service")
    parser.add_argument("--refuse", action="store_true", help="answer requests with no")
    parser.add_argument("--defer", type=int, metavar="MS", help="release so much later")
    parser.add_argument("--silent", action="store_true", help="do not answer requests")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    Owner(options, Regions(options)).run()


if __name__ == "__main__":
    main()
