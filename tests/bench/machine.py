"""What a figure depends on besides the code: the machine, the peers' versions, and how Python was built."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import tests.bench.contenders as contenders

ASKED = """import sys, sysconfig
print(sys.version.split()[0], sys.base_prefix, sysconfig.get_config_var("CONFIG_ARGS") or "", sep="\\n")
"""


def described() -> list[str]:
    """Lines for the head of the figures."""
    processor = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    name = processor[1] if processor else platform.machine()
    version, prefix, arguments = _said([contenders.python(), "-c", ASKED]).split("\n", 2)
    peers = ", ".join([_said(["nginx", "-v"]).replace("nginx version: ", ""), *_others(), _wrk()])
    return [
        f"Machine: {os.cpu_count()} cores, {name}, {platform.system()} {platform.release()}; "
        f"load average {os.getloadavg()[0]:.1f} at the start.",
        f"Peers: {peers}.",
        f"Python {version}: {built(arguments, prefix)}.",
        "The gateway was started as `python -m gateway serve --workers 1`, its line per request off "
        "(`access_log: off`) as nginx's is; everything else as it comes.",
    ]


def built(arguments: str, prefix: str) -> str:
    """How Python was compiled: it decides up to 17 % of what its code costs."""
    if "--enable-optimizations" in arguments:
        return "an optimised build (--enable-optimizations)"
    if prefix == "/usr":
        return "the distribution's build, profile-guided in Debian and its kin"
    return "not an optimised build (no --enable-optimizations): one that is needs up to 17 % less"


def _others() -> list[str]:
    found = []
    for name, command in (("HAProxy", ["haproxy", "-v"]), ("Caddy", ["caddy", "version"])):
        if shutil.which(command[0]):
            number = re.search(r"\d+\.\d+(\.\d+)?", _said(command))
            found.append(f"{name} {number[0] if number else 'of unknown version'}")
    return found


def _wrk() -> str:
    number = re.search(r"wrk (?:debian/)?([\d.]+)", _said(["wrk", "-v"]))
    return f"wrk {number[1]}" if number else "wrk"


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return (done.stdout + done.stderr).strip()
