#!/usr/bin/env python3
"""Sets Open Policy Agent up and asks it: for the tests of menagerie-rego, and for the row `rego` of the benchmarks.

    opa.py install DIRECTORY           what is pinned below, from the Python package index; needs pip and Linux on x86_64
    opa.py serve DIRECTORY             a question a line on stdin, an answer a line on stdout, until stdin ends
    opa.py eval DIRECTORY QUERY INPUT POLICY...   one question, for its time
    opa.py most COMMAND...             how many KiB of memory a command has at most

A question is an object: `modules`, pairs of path and source, and `data`, both kept until the next question that has
`modules`; `query`; `input`, a text that holds JSON. An answer has `result`, the value of the query (null where it is
undefined), or `error` with `code` and `message`.

Of OPA there is a library with a few functions in C's manner, which a package for Python holds. Its own Python wants a newer
Python than most machines have, so the library is called from here.
"""

import ctypes
import hashlib
import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile

# Open Policy Agent 1.20.2.
OPA = ("opa-golib-python-bindings==0.4.4", "d411c901e14b8c7c3023e23e4a944f4cf429c1d31baf80e959e57d11efbfd24a")
# 3,361 rules for CloudFormation, Apache-2.0, of people who do not know us.
PACK = ("cdk-preflight==1.9.1", "d2fccb174823fe8f1c03d01907e4f9b92b3f8a714390cc0ae46db7e9e20fb4ec")

LIBRARY = "libopabridge.so"
RULES = "cdk-preflight.json"
# No answer takes longer; the one who asks has given up by then.
SECONDS = 600


def install(directory):
    """Makes both files, unless they are there; the last one tells that all is."""
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / LIBRARY).exists():
        wheel = zipfile.ZipFile(fetch(*OPA))
        put(directory / LIBRARY, wheel.read(f"opa_bindings/{LIBRARY}"))
    if not (directory / RULES).exists():
        wheel = zipfile.ZipFile(fetch(*PACK))
        (inner,) = (name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
        archive = tarfile.open(fileobj=io.BytesIO(wheel.read(inner)))
        text = archive.extractfile("package/lib/rules.generated.js").read().decode()
        rules = {name: after(text, f"exports.{name} = [") for name in ("BUNDLED_LIBS", "BUNDLED_RULES")}
        put(directory / RULES, json.dumps(rules).encode())


def fetch(package, digest):
    """Returns the bytes of a package: what its digest says, or nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        # Nothing of it is run, so it may ask for whatever Python it likes.
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            + ["--python-version", "3.14", "--only-binary", ":all:", "--dest", scratch, package],
            check=True,
        )
        (path,) = pathlib.Path(scratch).iterdir()
        content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        sys.exit(f"error: {package} has the digest {found}, not {digest}")
    return io.BytesIO(content)


def put(path, content):
    """Writes a file that is there as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.rename(path)


def after(text, beginning):
    """Returns the list that begins at the end of `beginning`."""
    value, _ = json.JSONDecoder().raw_decode(text[text.index(beginning) + len(beginning) - 1 :])
    return value


class Engine:
    def __init__(self, directory):
        self.library = ctypes.CDLL(str(directory / LIBRARY))
        self.library.OpaNew.restype = ctypes.c_uint64
        for name in ("OpaAddPolicy", "OpaAddData", "OpaEvalQuery"):
            getattr(self.library, name).restype = ctypes.c_void_p
        self.library.OpaFreeString.argtypes = [ctypes.c_void_p]
        self.handle = None

    def load(self, modules, data):
        if self.handle is not None:
            self.library.OpaDestroy(self.handle)
        self.handle = ctypes.c_uint64(self.library.OpaNew())
        if data is not None:
            self.call("OpaAddData", b"", json.dumps(data).encode())
        for path, source in modules:
            self.call("OpaAddPolicy", path.encode(), source.encode())

    def ask(self, query, input):
        answer = self.call("OpaEvalQuery", query.encode(), input, 0, 0)
        results = answer.get("result")
        return results[0]["expressions"][0]["value"] if results else None

    def call(self, name, *arguments):
        for argument in arguments:
            # The library reads up to the first one.
            if isinstance(argument, bytes) and b"\0" in argument:
                raise Refused({"code": "nul", "message": "a NUL character"})
        pointer = getattr(self.library, name)(self.handle, *arguments)
        try:
            answer = json.loads(ctypes.string_at(pointer))
        finally:
            self.library.OpaFreeString(pointer)
        if answer.get("error"):
            raise Refused(answer["error"])
        return answer


class Refused(Exception):
    """What OPA says is wrong."""


def serve(directory):
    engine = Engine(directory)
    for line in sys.stdin.buffer:
        # A question that never ends must not outlive the one who asked.
        limit = threading.Timer(SECONDS, os._exit, [3])
        limit.start()
        question = json.loads(line)
        try:
            if "modules" in question:
                engine.load(question["modules"], question.get("data"))
            answer = {"result": engine.ask(question["query"], question["input"].encode())}
        except Refused as refused:
            answer = {"error": refused.args[0]}
        limit.cancel()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def evaluate(directory, query, input, *policies):
    engine = Engine(directory)
    engine.load([(path, pathlib.Path(path).read_text()) for path in policies], None)
    print(json.dumps(engine.ask(query, pathlib.Path(input).read_bytes())))


def most(*command):
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


if __name__ == "__main__":
    command, first, *rest = sys.argv[1:]
    if command == "most":
        most(first, *rest)
    else:
        {"install": install, "serve": serve, "eval": evaluate}[command](pathlib.Path(first), *rest)
