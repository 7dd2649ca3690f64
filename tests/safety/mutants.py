"""Whether the shield's tests notice when the shield is wrong: `NUMBA_DISABLE_JIT=1 python -m tests.safety.mutants`.

Each mutant changes one thing in `envs/limits.py` or one of the files of `envs/shield`: a comparison, a sum or
product, a number, a minimum, an `and`, a condition. It is killed when a named situation of `test_shield`, one of its
few other examples or a law (30 examples) fails. The mutant lives in a forked process, where its module and those
that are built on it are executed anew; nothing is written. Prints the survivors and fails under nine tenths.
"""

import ast
import copy
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "envs.limits": ("envs.limits",),
    "envs.shield.reasons": ("envs.shield.reasons", "envs.shield.fallback", "envs.shield.rule", "envs.shield"),
    "envs.shield.fallback": ("envs.shield.fallback", "envs.shield.rule", "envs.shield"),
    "envs.shield.rule": ("envs.shield.rule", "envs.shield"),
}
"""What is mutated, and what has to be executed anew for it, in this order."""
LEAST_KILLED = 0.9
SECONDS = 60

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
_NAMES = {"min": "max", "max": "min", "minimum": "maximum", "inf": "nan"}


def mutants(source: str) -> Iterator[tuple[int, str, ast.Module]]:
    """Of each mutant of a module its line, what was changed, and its tree."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    skipped = {part for node in nodes for part in _untouched(node)}
    for number, node in enumerate(nodes):
        if node in skipped:
            continue
        for change in _changes(node):
            twin = copy.deepcopy(tree)
            target = list(ast.walk(twin))[number]
            before = ast.unparse(target)
            change(target)
            ast.fix_missing_locations(twin)
            line = getattr(node, "lineno", None) or getattr(node, "left", node).lineno  # type: ignore[attr-defined]
            yield line, f"{before}  ->  {ast.unparse(target)}", twin


def _untouched(node: ast.AST) -> Iterator[ast.AST]:
    """Parts that do nothing when the program runs: annotations."""
    for name in ("annotation", "returns"):
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            yield from ast.walk(part)


def _changes(node: ast.AST) -> Iterator[Callable[..., None]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARISONS.get(type(operator), ()):
                yield lambda n, place=place, other=other: n.ops.__setitem__(place, other())
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield lambda n: setattr(n, "op", _OPERATORS[type(n.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda n: setattr(n, "op", ast.And() if isinstance(n.op, ast.Or) else ast.Or())
    elif isinstance(node, ast.UnaryOp):
        yield lambda n: setattr(n, "operand", ast.UnaryOp(n.op, n.operand))
    elif isinstance(node, ast.If | ast.IfExp):
        yield lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        for by in (1, -1):
            yield lambda n, by=by: setattr(n, "value", n.value + by)
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        for factor in (1.02, 0.98) if node.value else ():
            yield lambda n, factor=factor: setattr(n, "value", n.value * factor)
        if not node.value:
            yield lambda n: setattr(n, "value", 0.1)
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield lambda n: setattr(n, "id", _NAMES[n.id])
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield lambda n: setattr(n, "attr", _NAMES[n.attr])


def killed(module: str, tree: ast.Module, check: Callable[[], None]) -> bool:
    """Whether `check` raises, or does not end, in a process where `module` is this tree."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            for name in FILES[module]:
                code = compile(tree, name, "exec") if name == module else _code(name)
                exec(code, sys.modules[name].__dict__)
            check()
        except BaseException:  # whatever it is, the tests would have noticed
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def _code(name: str) -> object:
    return compile(_path(name).read_text(), name, "exec")


def _path(name: str) -> Path:
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def shield_tests() -> Callable[[], None]:
    """One function that runs `tests.safety.test_shield`; what it needs of the view is prepared before."""
    import numba

    if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        raise SystemExit("mutants are Python; set NUMBA_DISABLE_JIT=1")
    from tests.safety import test_shield as tests

    for situation, *_ in tests.SITUATIONS.values():
        situation.view()

    def check() -> None:
        for sentence in tests.SITUATIONS:
            tests.test_situation(sentence)
        tests.test_reasons_are_numbered_in_the_order_of_the_checks()
        tests.test_limits_are_those_of_the_age_group_and_of_the_own_basal()
        tests.test_the_margin_is_how_far_glucose_and_its_prediction_are_above_their_thresholds()
        tests.test_without_a_shield_a_valid_request_stands_and_an_invalid_one_falls_back()
        for name in tests.shield.SHIELDS:
            tests.test_a_shield_writes_to_nothing_that_it_is_given(name)
        for law in tests.LAWS:
            tests.test_law(law, 30)

    return check


def main() -> int:
    """Try every mutant; 0 when nine tenths of them were killed."""
    import warnings

    warnings.simplefilter("ignore")
    check = shield_tests()
    check()  # the shield as it is passes
    total = dead = 0
    for module in FILES:
        for line, change, tree in mutants(_path(module).read_text()):
            total += 1
            if killed(module, tree, check):
                dead += 1
            else:
                print(f"survived: {module} line {line}: {change}", flush=True)
    print(f"killed {dead} of {total} mutants ({100 * dead / total:.1f} %)")
    return 0 if dead >= LEAST_KILLED * total else 1


if __name__ == "__main__":
    sys.exit(main())
