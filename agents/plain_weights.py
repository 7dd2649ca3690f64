"""Weights and what is said of them as two plain files, safetensors and JSON: read without executing anything."""

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors import numpy as safetensors

_Manifest = TypeVar("_Manifest", bound=BaseModel)


def manifest_from(
    path: Path, data: bytes, kind: type[_Manifest], wrong: type[ValueError], remedy: str
) -> _Manifest:
    """The manifest in the bytes of a JSON file. Raises `wrong`, which names file, key, fault and `remedy`."""
    try:
        return kind.model_validate(json.loads(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise wrong(f"{path}: {where}: {first['msg']}; {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise wrong(f"{path} is not JSON ({error}); {remedy}") from None


def weights_from(
    path: Path, data: bytes, sha256: str, wrong: type[ValueError], remedy: str
) -> dict[str, NDArray[Any]]:
    """The arrays by name in the bytes of a safetensors file with this hash. Raises `wrong` for others."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise wrong(f"{path} is not the file its manifest was written for; get both files anew")
    try:
        return safetensors.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise wrong(f"{path} cannot be read as safetensors ({error}); {remedy}") from None
