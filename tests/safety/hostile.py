"""Files from strangers for every loader but that of policies, and a process that loads them under watch.

`python -m tests.safety.hostile FOLDER` makes each of them in a folder, loads it, and prints a line of JSON: what was
raised, seconds of the processor, megabytes that memory grew by, and what happened that must not. The policies are
those of `tests.agents.test_malicious_policies`.
"""

import ctypes
import gzip
import json
import os
import pickle
import shutil
import signal
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents import frozen
from agents.forecast import saved as forecasters
from agents.load import load as load_agent
from experiments import fleet
from experiments.config import TrainConfig, train_settings
from experiments.evidence import count, kept, sampler
from experiments.personal import twin_file
from experiments.protocol import load_protocol
from experiments.records import checkpoints
from experiments.records.config_files import apply_overrides, build, load_yaml
from experiments.records.decision_log import read_log
from experiments.records.gains import load_gains
from experiments.records.lock import FolderLock
from experiments.records.tables import read_table
from experiments.report import write_report
from experiments.results import study_tables
from experiments.results.collect import collect
from experiments.results.evaluations import read_evaluation
from experiments.runs import Run, read_manifest
from experiments.search import open_study
from experiments.studies.settings import load_study
from tests.agents import tiny_policy
from tests.agents.test_malicious_policies import CORPUS, Trap
from tests.experiments import fake_evaluation
from twins.world import readers

Load = Callable[[Path], object]
Make = Callable[[Path], object]
BOMB = gzip.compress(bytes(16 << 20), 1) * 80
"""1.3 GB of zeros in some hundred kilobytes."""
DEEP = b"[" * 1_000_000
ROWS = gzip.compress(b"a,b\n" + b"1,2\n" * (4 << 20), 1)
"""Four million short rows, which as Python objects take more than a gigabyte."""
_DIARY = b"time,glucose_mg_dl,carbs_g,bolus_u,basal_u_per_h\n"
_ALIASES = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (k, k, b", ".join([b"*%c" % (k - 1)] * 10)) for k in range(ord("b"), ord("k"))
)
_WEIGHTS = (forecasters.TRAINED / forecasters.WEIGHTS).read_bytes()
_TOLD = json.loads((forecasters.TRAINED / forecasters.MANIFEST).read_text())
"""Of the forecaster that comes with the project."""
_WIDE = json.dumps(_TOLD | {"width": 10**9}).encode()


# --- ways to make a file ------------------------------------------------------------------------------------
def _file(name: str, data: bytes) -> Make:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return make


def _pickle(name: str) -> Make:
    return lambda folder: _file(name, pickle.dumps(Trap(folder / "trap")))(folder)


def _packed_pickle(name: str) -> Make:
    return lambda folder: _file(name, gzip.compress(pickle.dumps(Trap(folder / "trap"))))(folder)


def _zip(name: str) -> Make:
    """An archive of pickles, one of which would lie outside of its folder."""

    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w") as archive:
            for held in ("data", "policy.pth", "../../escaped"):
                archive.writestr(held, pickle.dumps(Trap(folder / "trap")))

    return make


def _sparse(name: str, size: int = 2 << 30, begin: bytes = b"") -> Make:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(begin)
        os.truncate(folder / name, size)

    return make


def _pipe(name: str) -> Make:
    return lambda folder: os.mkfifo(folder / name)


def _link(name: str, target: str) -> Make:
    return lambda folder: (folder / name).symlink_to(target)


def _all(*makes: Make) -> Make:
    def make(folder: Path) -> None:
        for one in makes:
            one(folder)

    return make


def _sound(what: str, place: Path) -> Path:
    """A sound evaluation "e", or the study "s" of it, made once beside all others and copied to `place`."""
    held = place.parent.parent / "sound"
    if not held.exists():
        fake_evaluation.write_evaluation(held / "e", "basal-bolus-tuned", "rule", -1, bodies=True)
        collect([held / "e"]).write(held / "s")
    return Path(shutil.copytree(held / what, place))


def _evaluation(change: dict[str, Any] | None = None, *more: Make) -> Make:
    """A sound evaluation, its summary changed, and files in it replaced."""

    def make(folder: Path) -> None:
        path = _sound("e", folder / "e") / "summary.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | (change or {})))
        for one in more:
            one(folder / "e")

    return make


def _study(change: Callable[[dict[str, Any]], object] | None = None, *more: Make) -> Make:
    """The same of a study and its study.json."""

    def make(folder: Path) -> None:
        path = _sound("s", folder / "s") / "study.json"
        about = json.loads(path.read_text())
        if change is not None:
            change(about)
        path.write_text(json.dumps(about))
        for one in more:
            one(folder / "s")

    return make


def _instead(old: str, make: Make) -> Make:
    def made(folder: Path) -> None:
        (folder / old).unlink()
        make(folder)

    return made


def _gains(**change: Any) -> Make:
    told: dict[str, Any] = {
        "format": 2, "family": "basal-bolus", "mode": "cohort", "gains": ["basal_gain", "bolus_gain"],
        "values": [1.0, 1.0], "person_days": 10, "people": 1, "score": 1.0, "protocol": "p", "shield": "rule",
    }  # fmt: skip
    return _file("f", json.dumps(told | change).encode())


def _checkpoint(*more: Make) -> Make:
    def make(folder: Path) -> None:
        checkpoints.save(folder, 8, lambda path: (path / "state").write_bytes(b"x"))
        for one in more:
            one(folder / "step_000000000008")

    return make


# --- loaders ------------------------------------------------------------------------------------------------
def _settings(folder: Path) -> object:
    return build(TrainConfig, load_yaml(folder / "f.yml"), "f.yml")


def _fine_tuning(folder: Path) -> object:
    return train_settings({"init_from": str(folder / "f")}, None, [])


def _damage(folder: Path) -> None:
    """A damaged checkpoint is passed over; training says so when there is no other."""
    assert checkpoints.latest(folder) is None
    raise ValueError(checkpoints.damage(folder / "step_000000000008") or "nothing was found")


def _cell(folder: Path) -> object:
    return fleet.is_done(folder, fleet.Cell("c", print))


def _resumed(folder: Path) -> object:
    return Run.resume(folder, need_mb=1)


def _forecaster(*more: Make) -> Make:
    """The forecaster that comes with the project, with a part of it made anew."""

    def make(folder: Path) -> None:
        for name in (forecasters.MANIFEST, forecasters.WEIGHTS):
            shutil.copy(forecasters.TRAINED / name, folder / name)
        _all(*more)(folder)

    return make


def _counted(data: bytes) -> Make:
    """A folder of bodies that says what it must, with these bytes as its bodies."""
    said = f"`{sampler.sampler_hash()}` `{count.policy_hash()}`".encode()
    return _all(_file(kept.TABLE, said), _file(kept.BODIES, data))


_READ: dict[str, Load] = {
    "twin": lambda folder: twin_file.load(folder / "f"),
    "forecaster": lambda folder: forecasters.load(folder, tuple(_TOLD["figures"])),
    "bodies": kept.read,
    "diary": lambda folder: readers.read(folder / "f.csv"),
    "table": lambda folder: read_table(folder / "f.csv"),
    "packed table": lambda folder: read_table(folder / "f.csv.gz"),
    "gains": lambda folder: load_gains(folder / "f"),
    "evaluation": lambda folder: read_evaluation(folder / "e"),
    "study": lambda folder: study_tables.read(folder / "s"),
    "report": lambda folder: write_report(folder / "page.html", folder / "s"),
    "report of evaluations": lambda folder: write_report(folder / "page.html", [folder / "e"], [folder / "r"]),
    "journal": lambda folder: open_study(folder / "f", "s"),
    "log": lambda folder: read_log(folder / "f"),
}  # fmt: skip


def _text(name: str, load: Load) -> dict[str, tuple[Make, Load]]:
    """What no loader of a file may be fooled by."""
    made: dict[str, tuple[Make, Load]] = {
        "a pickle": (_pickle(name), load),
        "an archive of pickles": (_zip(name), load),
        "2 GB of nothing": (_sparse(name), load),
        "a pipe": (_pipe(name), load),
        "a link to a device": (_link(name, "/dev/zero"), load),
        "a link to itself": (_link(name, name), load),
        "random bytes": (_file(name, bytes(range(256)) * 40), load),
        "lists without end": (_file(name, DEEP), load),
    }
    return made


_YAML: dict[str, bytes] = {
    "a tag that calls": b"people: !!python/object/apply:os.system ['touch escaped']\n",
    "a tag that builds": b"people: !!python/object/new:os.system ['touch escaped']\n",
    "a tag that imports": b"people: !!python/module:antigravity\n",
    "a tag of its own": b"people: !trap x\n",
    "aliases of aliases": _ALIASES,
    "a list of aliases of aliases": b"- " + _ALIASES.replace(b"\n", b"\n- "),
    "a merge of aliases": b"a: &a {b: 1}\nc:\n  <<: *a\n",
    "many lists": b"a: " + b"[" * 60_000,
    "many maps": b"? " * 30_000,
    "a number of many digits": b"seed: " + b"9" * 60_000 + b"\n",
    "a number beyond all": b"learning_rate: 1e999\n",
    "too many values": b"a: [" + b"1," * 30_000 + b"1]\n",
    "too much": b"a: " + b"x" * (1 << 20) + b"\n",
    "zeros": b"a: \0\n",
}
_JSON: dict[str, bytes] = {
    "no object": b"[1, 2]",
    "nan": b'{"format": NaN}',
    "a number beyond all": b'{"format": 1e999}',
    "a number of many digits": b'{"format": ' + b"9" * 100_000 + b"}",
    "too many numbers": b"[" + b"0," * (16 << 20) + b"0]",
    "cut off": b'{"format": 1, "st',
    "another encoding": '{"format": 1}'.encode("utf-16"),
}
_TABLE: dict[str, bytes] = {
    "a line without end": b"a,b\n" + b"1" * (3 << 20),
    "many columns in one row": b"a,b\n" + b"1," * (3 << 20),
    "one long text among many": b"a,b\n1," + b"x" * 120_000 + b"\n" + b"1,y\n" * 100_000,
    "a quote without end": b'a,b\n1,"' + b"x\n" * 1_000_000,
    "cut off": b"a,b\n1,2\n3",
    "a name twice": b"a,a\n1,2\n",
}
_DIARIES: dict[str, bytes] = {
    "a bomb": BOMB,
    "many packed rows": ROWS,
    "packed rows of a diary": gzip.compress(_DIARY + b"2024-01-01T00:00,100,,,\n" * (4 << 20), 1),
    "a line without end": _DIARY + b"1" * (3 << 20),
    "many columns": b"," * (20 << 20),
    "a cut archive": gzip.compress(_DIARY * 100)[:-20],
    "a number beyond all": _DIARY + b"2024-01-01T00:00,1e400,,,\n",
    "a number of many digits": _DIARY + b"2024-01-01T00:00," + b"9" * 100_000 + b",,,\n",
    "thousands of years": _DIARY + b"0001-01-01T00:00,100,,,\n9999-12-31T00:00,100,,,\n",
    "mmol/L": _DIARY + b"".join(b"2024-01-%02dT00:00,6.5,,,\n" % day for day in range(1, 20)),
    "formulas": _DIARY + b"2024-01-01T00:00,\"=cmd|' /C calc'!A0\",,,\n",
}
_SUMMARIES: dict[str, dict[str, Any]] = {
    "an agent that is a list": {"agent": ["pid"]},
    "persons in words": {"persons": "x" * 1000},
    "enormous numbers of persons": {"persons": 10**300},
    "a negative number": {"replicas": -1},
    "versions that are a list": {"versions": [1]},
    "training facts that are a list": {"trained_on": [1]},
    "truth for a number": {"failures": True},
    "another agent than in the rows": {"agent": "ppo"},
}
_STUDIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a primary that is a list": lambda about: about.update(primary=["agent"]),
    "a primary agent that is a map": lambda about: about["primary"].update(agent={}),
    "protocols that are a list": lambda about: about.update(protocols=[]),
    "a protocol that is a word": lambda about: about["protocols"].update(x="y"),
    "a protocol's hash that is a number": lambda about: next(iter(about["protocols"].values())).update(
        hash=1
    ),
    "a flow of words": lambda about: about["flow"].update(done="many"),
    "a title that is missing": lambda about: about.pop("title"),
    "notes that are a map": lambda about: about.update(notes={"a": 1}),
}


def cases() -> dict[str, tuple[Make, Load]]:
    """All of them by name: how each is made in an empty folder, and what loads it. Two prove that the watch sees."""
    unpickled: Load = lambda folder: pickle.loads((folder / "f").read_bytes()).close()  # noqa: E731, S301
    unpacked: Load = lambda folder: len(gzip.decompress((folder / "f").read_bytes()))  # noqa: E731
    found = {
        "proof: a pickle": (_pickle("f"), unpickled),
        "proof: a bomb": (_file("f", BOMB[: len(BOMB) // 2]), unpacked),
    }

    def add(kind: str, made: dict[str, tuple[Make, Load]]) -> None:
        found.update({f"{kind}: {name}": one for name, one in made.items()})

    for name, harm in CORPUS.items():
        made = lambda folder, harm=harm: harm(tiny_policy.write(folder))  # noqa: E731
        found[f"policy: {name}"] = (made, frozen.load)
    add("fine-tuning", {
        "an archive of another library": (_zip("f"), _fine_tuning),
        "a folder with such an archive": (_all(_file("f/x", b""), _zip("f/model.zip")), _fine_tuning),
        "a pickle as weights": (_all(_file("f/x", b""), _pickle("f/policy.safetensors")), _fine_tuning),
    })  # fmt: skip
    add("agent", {
        "an archive of another library": (_zip("f.zip"), lambda folder: load_agent(str(folder / "f.zip"))),
        "a file of Python": (_file("f.py", b"open('escaped', 'w')"), lambda folder: load_agent(str(folder / "f.py"))),
    })  # fmt: skip
    add("settings", _text("f.yml", _settings))
    for name, data in _YAML.items():
        add("settings", {name: (_file("f.yml", data), _settings)})
        add("protocol", {name: (_file("f.yml", data), lambda folder: load_protocol(str(folder / "f.yml")))})
        add("study", {name: (_file("f.yml", data), lambda folder: load_study(str(folder / "f.yml")))})
    flag = lambda folder: apply_overrides(TrainConfig(), [f"people={(folder / 'f').read_text()}"])  # noqa: E731
    for name in ("a tag that calls", "many lists", "a number of many digits"):
        add("a flag", {name: (_file("f", _YAML[name].partition(b": ")[2]), flag)})
    for kind, file, load in (
        ("gains", "f", _READ["gains"]), ("manifest of a run", "manifest.json", read_manifest),
        ("a run to go on with", "manifest.json", _resumed), ("mark of a cell", "done/c.json", _cell),
    ):  # fmt: skip
        place = _file("done/x", b"")
        for name, (make, one) in _text(file, load).items():
            if kind != "mark of a cell" or not name.startswith(
                ("a pipe", "a link")
            ):  # such a cell is not done
                add(kind, {name: (_all(place, make), one)})
        for name, data in _JSON.items():
            if kind != "mark of a cell" or name != "no object":
                add(kind, {name: (_file(file, data), load)})
    add("gains", {
        "wrong count": (_gains(values=[1.0]), _READ["gains"]),
        "outside": (_gains(values=[1.0, 1e300]), _READ["gains"]),
        "a path outside": (_gains(file="../../x"), _READ["gains"]),
        "a crowd": (_gains(mode="person", values={str(k): [1, 1] for k in range(300_000)}), _READ["gains"]),
    })  # fmt: skip
    add("table", {name: (_file("f.csv", data), _READ["table"]) for name, data in _TABLE.items()})
    add("table", {"200 MB of nothing": (_sparse("f.csv", 200 << 20, b"a,b\n1,2\n"), _READ["table"])})
    add("table", {name: one for name, one in _text("f.csv", _READ["table"]).items() if "lists" not in name})
    add("twin of a person", _text("f", _READ["twin"]))
    add("twin of a person", {name: (_file("f", data), _READ["twin"]) for name, data in _JSON.items()})
    for file in (forecasters.MANIFEST, forecasters.WEIGHTS):
        for name, (make, load) in _text(file, _READ["forecaster"]).items():
            add("forecaster", {f"{name} as {file}": (_forecaster(_instead(file, make)), load)})
    add("forecaster", {
        "weights of another": (_forecaster(_file(forecasters.WEIGHTS, _WEIGHTS[:-1] + b"?")), _READ["forecaster"]),
        "an enormous width": (_forecaster(_file(forecasters.MANIFEST, _WIDE)), _READ["forecaster"]),
    })  # fmt: skip
    packed = {"a bomb": BOMB, "many rows": ROWS, "cut off": ROWS[:5000], "not packed": b"a,b\n1,2\n"}
    add(
        "packed table",
        {name: (_file("f.csv.gz", data), _READ["packed table"]) for name, data in packed.items()},
    )
    add("bodies", {name: (_counted(data), _READ["bodies"]) for name, data in packed.items()})
    add("bodies", {"2 GB as a table": (_all(_counted(b""), _sparse(kept.TABLE)), _READ["bodies"])})
    add("packed table", {"a packed pickle": (_packed_pickle("f.csv.gz"), _READ["packed table"])})
    add("diary", {name: (_file("f.csv", data), _READ["diary"]) for name, data in _DIARIES.items()})
    add("diary", _text("f.csv", _READ["diary"]))
    add("diary", {"a packed pickle": (_packed_pickle("f.csv"), _READ["diary"])})
    for name in ("UoMGlucose2301.csv", "subject_01.csv"):
        for what in ("a bomb", "many columns", "many packed rows"):
            read = lambda folder, name=name: readers.read(folder / name)  # noqa: E731
            add(f"diary {name}", {what: (_file(name, _DIARIES[what]), read)})
    add(
        "evaluation",
        {name: (_evaluation(change), _READ["evaluation"]) for name, change in _SUMMARIES.items()},
    )
    for name, data in _TABLE.items():
        add("evaluation", {name: (_evaluation(None, _file("episodes.csv", data)), _READ["evaluation"])})
    for name, make in (
        ("a pickle", _pickle("summary.json")), ("lists without end", _file("summary.json", DEEP)),
        ("a pipe", _instead("summary.json", _pipe("summary.json"))), ("2 GB of nothing", _sparse("summary.json")),
        ("an enormous table", _sparse("episodes.csv")),
    ):  # fmt: skip
        add("evaluation", {name: (_evaluation(None, make), _READ["evaluation"])})
    for kind in ("study", "report"):
        add(
            f"{kind} of a stranger",
            {name: (_study(change), _READ[kind]) for name, change in _STUDIES.items()},
        )
        for name, data in (("a bomb", BOMB), ("many rows", ROWS)):
            make = _study(None, _instead("episodes.csv", _file("episodes.csv.gz", data)))
            add(f"{kind} of a stranger", {name: (make, _READ[kind])})
        add(f"{kind} of a stranger", {"a pickle": (_study(None, _pickle("study.json")), _READ[kind])})
    for name in ("a tag that calls", "aliases of aliases"):
        run = lambda folder, name=name: [  # noqa: E731
            fake_evaluation.write_training_run(folder / "r", 0), (folder / "r" / "config.yml").write_bytes(_YAML[name])
        ]  # fmt: skip
        add("report of a run", {name: (_all(_evaluation(), run), _READ["report of evaluations"])})
    add("journal", {name: one for name, one in _text("f", _READ["journal"]).items() if "pipe" not in name})
    add("journal", {
        "an unknown operation": (_file("f", b'{"op_code": 99, "worker_id": "x"}\n'), _READ["journal"]),
        "a list": (_file("f", b"[1]\n"), _READ["journal"]),
        "a line without end": (_file("f", b"[" * (8 << 20) + b"\n"), _READ["journal"]),
    })  # fmt: skip
    add("decision log", _text("f", _READ["log"]))
    add("decision log", {"too many lines": (_sparse("f", 300 << 20), _READ["log"])})
    add("lock", {name: one for name, one in _text("lock", FolderLock).items() if name != "a link to itself"})
    outside = b"0" * 64 + b"  ../../outside\n"
    add("checkpoint", {
        "a file outside": (_checkpoint(_file("SHA256SUMS", outside)), _damage),
        "an absolute path": (_checkpoint(_file("SHA256SUMS", b"0" * 64 + b"  /etc/passwd\n")), _damage),
        "a pickle beside": (_checkpoint(_pickle("more")), _damage),
        "a pickle instead": (_checkpoint(_pickle("state")), _damage),
        "a pipe instead": (_checkpoint(_instead("state", _pipe("state"))), _damage),
        "a link instead": (_checkpoint(_instead("state", _link("state", "/dev/zero"))), _damage),
        "sums that are a pipe": (_checkpoint(_instead("SHA256SUMS", _pipe("SHA256SUMS"))), _damage),
        "sums of 2 GB": (_checkpoint(_sparse("SHA256SUMS")), _damage),
        "5 GB of nothing": (_checkpoint(_sparse("state", 5 << 30)), _damage),
        "cut off": (_checkpoint(_file("state", b"")), _damage),
    })  # fmt: skip
    return found


# --- the watched process ------------------------------------------------------------------------------------
_FORBIDDEN = (
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "shutil.unpack_archive",
)


class _TooLong(BaseException):
    pass


def _late(*_: object) -> None:
    raise _TooLong


def _memory_mb(word: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(word)).split()[1]) / 1024


def main(place: Path) -> None:
    """Make and load everything below `place`, a line of JSON each."""
    happened: list[str] = []
    sys.addaudithook(lambda event, _: happened.append(event) if event in _FORBIDDEN else None)
    signal.signal(signal.SIGALRM, _late)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
    for number, (name, (make, load)) in enumerate(cases().items()):
        folder = place / f"{number:03d}"
        folder.mkdir()
        make(folder)
        trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
        before, began, said = _memory_mb("VmRSS"), time.process_time(), "loaded"
        happened.clear()
        signal.alarm(20)
        try:
            load(folder)
        except BaseException as error:
            said, message = type(error).__name__, str(error)
            typed = isinstance(error, ValueError | FileNotFoundError | OSError)
        else:
            typed, message = False, ""
        signal.alarm(0)
        seconds, grown = time.process_time() - began, _memory_mb("VmHWM") - before
        traps = [str(path) for path in (folder / "trap", place / "escaped", Path("escaped")) if path.exists()]
        line = {
            "name": name, "said": said, "typed": typed, "message": message[:1000], "seconds": round(seconds, 3),
            "grown_mb": round(grown), "happened": happened + traps,
        }  # fmt: skip
        print(json.dumps(line), flush=True)
        for path in folder.rglob("*"):  # sparse ones need no room, others do
            if path.is_file() and not path.is_symlink():
                path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
