"""What the locks were made from: one hash over everything in pyproject.toml that names a requirement."""

import hashlib
import json
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def fingerprint() -> str:
    project = tomllib.loads(PYPROJECT.read_text())
    named = [
        project["build-system"]["requires"],
        project["project"]["requires-python"],
        project["project"]["dependencies"],
        project["dependency-groups"],
    ]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    print(fingerprint())
