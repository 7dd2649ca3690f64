"""The hint "did you mean ...?" of error messages."""

import difflib
from collections.abc import Iterable


def near_miss(word: str, known: Iterable[str]) -> str:
    """A hint at the known name nearest to `word`, beginning with a semicolon; nothing when none is near.

    Of dotted names the last part alone may match, too.
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    leaves = {name.split(".")[-1]: name for name in names if "." in name}
    near += [leaves[leaf] for leaf in difflib.get_close_matches(word.split(".")[-1], leaves, n=1, cutoff=0.6)]
    return f"; did you mean {near[0]!r}?" if near else ""
