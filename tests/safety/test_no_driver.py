"""Nothing here can drive a pump: no source imports what reaches hardware, a dose goes to no device or connection."""

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("twins", "envs", "agents", "experiments", "scripts")
REACHING = {
    "serial", "usb", "usb1", "hid", "libusb1", "bluetooth", "bleak", "bluepy", "pygatt", "smbus", "smbus2", "spidev",
    "RPi", "gpiozero", "nfc", "paho", "websockets", "websocket", "requests", "httpx", "aiohttp", "http", "urllib",
    "urllib3", "ftplib", "smtplib", "xmlrpc", "asyncio", "ssl", "socket", "ctypes", "fcntl", "termios", "can", "pyudev",
    "zmq", "grpc",
}  # fmt: skip
"""Modules by which a program talks to devices, radios or services."""
ALLOWED = {
    "experiments/records/lock.py": {"socket", "fcntl"},  # the machine's name; a lock on a file
    "experiments/crew.py": {
        "socket",
        "ctypes",
    },  # whether a cluster of workers answers; children end with their parent
}
_PLAY = """
import json, os, sys
import gymnasium, numpy as np, envs

EVENTS = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "subprocess.Popen", "os.system",
          "os.posix_spawn", "os.spawn", "os.exec", "os.fork")
seen = []
def watch(event, told):
    if event in EVENTS:
        seen.append([event, str(told)])
    if event == "open" and isinstance(told[0], str | bytes):
        path = os.path.realpath(os.fsdecode(told[0]))
        if path.startswith("/dev/") and path not in ("/dev/null", "/dev/urandom") and path[:9] != "/dev/shm/":
            seen.append([event, path])
sys.addaudithook(watch)
lowest = dict()
for shield in ("rule", "twin", "off"):
    env = gymnasium.make("Homeostat/Dosing-v0", shield=shield)
    env.reset(seed=1)
    for _ in range(72):
        *_, info = env.step(np.ones(env.action_space.shape, np.float32))
        lowest[shield] = min(lowest.get(shield, 400.0), info["glucose_mg_dl"])
if "--prove" in sys.argv:
    import socket
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 9))
    os.close(os.open(b"/dev/../dev/zero", os.O_RDONLY))
print(json.dumps([lowest, seen]))
"""


def _imported(path: Path) -> set[str]:
    """The first names of all modules that a source imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found |= {str(one.value).partition(".")[0] for one in node.args if isinstance(one, ast.Constant)}
    return found


def test_no_source_imports_what_reaches_a_device() -> None:
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > 300 and "numpy" in set.union(*map(_imported, sources))
    reaching = {path.relative_to(ROOT).as_posix(): _imported(path) & REACHING for path in sources}
    assert {name: found for name, found in reaching.items() if found} == ALLOWED


def _played(*argv: str) -> tuple[dict[str, float], list[list[str]]]:
    done = subprocess.run([sys.executable, "-c", _PLAY, *argv], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lowest, seen = json.loads(done.stdout)
    return lowest, seen


def test_a_dose_goes_to_no_device_and_no_connection() -> None:
    lowest, seen = _played()
    assert lowest["off"] < 70 and max(lowest.values()) < 125, "insulin was given behind every shield"
    assert seen == []


def test_the_watch_sees_a_connection_and_a_device() -> None:
    _, seen = _played("--prove")
    assert [event for event, _ in seen] == ["socket.connect", "open"]
