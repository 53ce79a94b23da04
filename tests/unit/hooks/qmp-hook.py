# SPDX-License-Identifier: GPL-2.0-or-later
"""hooks/qemu-device-del against made-up monitors, bad ones too, and a real QEMU."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HOOK = os.path.join(os.path.dirname(__file__), "../../../hooks/qemu-device-del")
GREETING = {"QMP": {"version": {"qemu": {"major": 9}}, "capabilities": []}}
DEVICES = {
    "/machine/peripheral": [
        {"name": "nic0", "type": "child<e1000e>"},
        {"name": "host0", "type": "child<vfio-pci>"},
        {"name": "type", "type": "string"},
    ],
    "/machine/peripheral-anon": [{"name": "device[3]", "type": "child<vfio-pci>"}],
}
ANONYMOUS = "/machine/peripheral-anon/device[3]"


def deleted(**data):
    return {"event": "DEVICE_DELETED", "data": data, "timestamp": {}}


class Monitor:
    """As much of QEMU as the hook talks to."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("r")
        self.asked = []

    def send(self, *messages):
        for message in messages:
            self.connection.sendall(json.dumps(message).encode() + b"\r\n")

    def serve(self, on_delete):
        self.send(GREETING)
        for line in self.lines:
            call = json.loads(line)
            name, arguments = call["execute"], call.get("arguments", {})
            if name == "qom-list":
                self.send({"return": DEVICES[arguments["path"]]})
            elif name == "device_del":
                self.asked.append(arguments["id"])
                on_delete(self, arguments["id"])
            else:
                self.send({"return": {}})


class Base(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.path = os.path.join(self.dir.name, "vm1.qmp")
        self.monitor = None

    def listen(self, serve):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(1)

        def run():
            connection, _ = listener.accept()
            self.monitor = Monitor(connection)
            try:
                serve(self.monitor)
                for _ in self.monitor.lines:
                    pass
            except OSError:
                pass
            connection.close()
            listener.close()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        self.addCleanup(self.thread.join, 60)

    def hook(self, *arguments, status=0, says="", path=None, **environment):
        clean = {"PATH": os.environ["PATH"], **environment}
        run = subprocess.run([sys.executable, HOOK, *arguments[:-1], path or self.path, *(arguments[-1] if arguments else [])],
                             env=clean, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        self.assertIn(says, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertNotIn("\x1b", run.stdout + run.stderr)


class MonitorTest(Base):
    def test_all_devices(self):
        def on_delete(monitor, device):
            monitor.send({"event": "STOP"}, {"return": {}})
            if device == ANONYMOUS:
                monitor.send(deleted(device="nic0", path="/machine/peripheral/nic0"),
                             deleted(path="/machine/peripheral/host0/pci"),
                             deleted(device="host0", path="/machine/peripheral/host0"),
                             deleted(path=ANONYMOUS))

        self.listen(lambda m: m.serve(on_delete))
        self.hook(says="host0 is unplugged")
        self.assertEqual(self.monitor.asked, ["host0", ANONYMOUS])

    def test_chosen_device_and_early_event(self):
        def on_delete(monitor, device):
            monitor.send(deleted(device=device), {"return": {}})

        self.listen(lambda m: m.serve(on_delete))
        self.hook(["nic0", "nic0"], says="nic0 is unplugged", PINGUARD_PID=str(os.getpid()))
        self.assertEqual(self.monitor.asked, ["nic0"])

    def test_asked_before(self):
        def on_delete(monitor, device):
            monitor.send({"error": {"class": "GenericError", "desc": f"Device {device} is already in the process of unplug"}},
                         deleted(device=device))

        self.listen(lambda m: m.serve(on_delete))
        self.hook(["nic0"])

    def test_unknown_device(self):
        def on_delete(monitor, device):
            monitor.send({"error": {"class": "DeviceNotFound", "desc": "not found"}})

        self.listen(lambda m: m.serve(on_delete))
        self.hook(["nic9"], status=1, says="has no device nic9")

    def test_error_is_escaped(self):
        def on_delete(monitor, device):
            monitor.send({"error": {"class": "GenericError", "desc": "no \x1b[2J hotplug"}})

        self.listen(lambda m: m.serve(on_delete))
        self.hook(["nic0"], status=1, says="no \\u001b[2J hotplug")

    def test_guest_refuses(self):
        def on_delete(monitor, device):
            monitor.send({"return": {}}, {"event": "DEVICE_UNPLUG_GUEST_ERROR", "data": {"device": device}})

        self.listen(lambda m: m.serve(on_delete))
        self.hook(["nic0"], status=1, says="refuses to let go of nic0")

    def test_guest_is_silent(self):
        self.listen(lambda m: m.serve(lambda monitor, device: monitor.send({"return": {}})))
        self.hook("--timeout=1", ["nic0"], status=6, says="has not let go of nic0")

    def test_deadline_of_the_request(self):
        self.listen(lambda m: m.serve(lambda monitor, device: monitor.send({"return": {}})))
        self.hook(["nic0"], status=6, says="no answer from the guest",
                  PINGUARD_DEADLINE_USEC=str(int((time.monotonic() + 2) * 1e6)))

    def test_monitor_is_silent(self):
        self.listen(lambda m: None)
        self.hook("--timeout=1", [], status=6, says="no answer from the monitor")

    def test_no_vfio(self):
        def serve(monitor):
            monitor.send(GREETING)
            for _ in range(3):
                monitor.lines.readline()
                monitor.send({"return": []})

        self.listen(serve)
        self.hook(status=1, says="has no VFIO device")

    def bad(self, data, says):
        self.listen(lambda m: m.connection.sendall(data))
        self.hook(status=1, says=says)

    def test_garbage(self):
        self.bad(b"\x00\xff\xfe{{{\n", "no JSON")

    def test_not_an_object(self):
        self.bad(b"[1]\n", "no message of QMP")

    def test_other_protocol(self):
        self.bad(b"{}\n", "does not speak QMP")

    def test_deep(self):
        self.bad(b"[" * 500000 + b"\n", "no JSON")

    def test_long(self):
        self.bad(b'{"QMP": "' + b"x" * (4 << 20), "too long")

    def test_flood(self):
        self.bad((json.dumps(GREETING) + "\n").encode() + b'{"event": "STOP"}\n' * 20000, "too many messages")

    def test_wrong_types(self):
        def serve(monitor):
            monitor.send(GREETING)
            monitor.lines.readline()
            monitor.send({"return": 1})
            monitor.lines.readline()
            monitor.send({"return": {"a": 1}})

        self.listen(serve)
        self.hook(status=1, says="no list of devices")

    def test_closed(self):
        self.listen(lambda m: (m.send(GREETING), m.connection.shutdown(socket.SHUT_RDWR)))
        self.hook(status=1, says="the monitor")

    def test_no_socket(self):
        self.hook(status=1, says="cannot connect")

    def test_other_process(self):
        self.listen(lambda m: m.serve(lambda monitor, device: monitor.send(deleted(device=device), {"return": {}})))
        self.hook(status=1, says="not of 1", PINGUARD_PID="1")
        self.thread.join(60)  # the hook may end before anybody has taken its connection
        self.assertEqual(self.monitor.asked, [])

    def test_other_process_allowed(self):
        self.listen(lambda m: m.serve(lambda monitor, device: monitor.send(deleted(device=device), {"return": {}})))
        self.hook("--any-process", ["nic0"], PINGUARD_PID="1")

    def test_names(self):
        self.listen(lambda m: m.serve(lambda monitor, device: monitor.send(deleted(device=device), {"return": {}})))
        self.hook(["nic0"], path=self.dir.name + "/{instance}.qmp", PINGUARD_UNIT="vm@vm1.service")

    def test_name_not_known(self):
        self.hook(status=1, says="{unit} in", path="/run/{unit}.qmp")
        self.hook(status=1, says="{instance} in", path="/run/{instance}.qmp", PINGUARD_UNIT="vm@a/b.service")

    def test_usage(self):
        self.hook("--what", [], status=2)


@unittest.skipUnless(shutil.which("qemu-system-x86_64"), "no QEMU")
class QemuTest(Base):
    """No guest runs: a device is let go of where its slot has no power yet, and not otherwise."""

    def setUp(self):
        super().setUp()
        self.qemu = subprocess.Popen([
            "qemu-system-x86_64", "-S", "-accel", "tcg", "-M", "q35", "-m", "16", "-nodefaults", "-display", "none",
            "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
            "-device", "pcie-root-port,id=port0,chassis=1", "-device", "pcie-root-port,id=port1,chassis=2",
            "-device", "e1000e,id=cold,bus=port1", "-device", "edu,id=fixed",
            "-qmp", f"unix:{self.path},server=on,wait=off"], stdin=subprocess.DEVNULL)
        self.addCleanup(self.qemu.wait)
        self.addCleanup(self.qemu.kill)
        while True:
            try:
                self.qmp("query-status")
                break
            except OSError:
                self.assertIsNone(self.qemu.poll())
                time.sleep(0.05)

    def qmp(self, name, **arguments):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.path)
            lines = connection.makefile("rw")
            lines.readline()
            for command in ({"execute": "qmp_capabilities"}, {"execute": name, "arguments": arguments}):
                lines.write(json.dumps(command) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
                self.assertIn("return", answer)
        return answer["return"]

    def names(self):
        return {item["name"] for item in self.qmp("qom-list", path="/machine/peripheral")}

    def test_unplug(self):
        self.qmp("device_add", driver="e1000e", id="hot", bus="port0")
        self.assertIn("hot", self.names())
        self.hook(["hot"], says="hot is unplugged", PINGUARD_PID=str(self.qemu.pid))
        self.assertNotIn("hot", self.names())
        self.hook(["hot"], status=1, says="has no device hot")

    def test_no_answer(self):
        self.hook("--timeout=1", ["cold"], status=6, says="has not let go of cold")
        self.assertIn("cold", self.names())

    def test_no_hotplug(self):
        self.hook(["fixed"], status=1, says="cannot be unplugged")
        self.hook(status=1, says="has no VFIO device")


if __name__ == "__main__":
    unittest.main()
