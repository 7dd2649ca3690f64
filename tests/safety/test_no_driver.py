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
    "urllib3", "ftplib", "smtplib", "xmlrpc", "asyncio", "ssl",
}  # fmt: skip
"""Modules by which a program talks to devices, radios or services."""
_PLAY = """
import json, sys
import gymnasium, numpy as np, envs

seen = []
def watch(event, told):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system"):
        seen.append([event, str(told)])
    device = event == "open" and isinstance(told[0], str) and told[0].startswith("/dev/")
    if device and told[0] not in ("/dev/null", "/dev/urandom") and not told[0].startswith("/dev/shm/"):
        seen.append([event, str(told[0])])
sys.addaudithook(watch)
lowest = 400.0
for shield in ("rule", "twin", "off"):
    env = gymnasium.make("Homeostat/Dosing-v0", shield=shield)
    env.reset(seed=1)
    for _ in range(72):
        *_, info = env.step(np.ones(env.action_space.shape, np.float32))
        lowest = min(lowest, info["glucose_mg_dl"])
if "--prove" in sys.argv:
    import socket
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 9))
    open("/dev/zero", "rb").close()
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
    return found


def test_no_source_imports_what_reaches_a_device() -> None:
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > 300 and "numpy" in set.union(*map(_imported, sources))
    reaching = {str(path.relative_to(ROOT)): _imported(path) & REACHING for path in sources}
    assert {name: found for name, found in reaching.items() if found} == {}


def _played(*argv: str) -> tuple[float, list[list[str]]]:
    done = subprocess.run([sys.executable, "-c", _PLAY, *argv], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lowest, seen = json.loads(done.stdout)
    return lowest, seen


def test_a_dose_goes_to_no_device_and_no_connection() -> None:
    lowest, seen = _played()
    assert lowest < 70, "insulin was given"
    assert seen == []


def test_the_watch_sees_a_connection_and_a_device() -> None:
    _, seen = _played("--prove")
    assert [event for event, _ in seen] == ["socket.connect", "open"]
