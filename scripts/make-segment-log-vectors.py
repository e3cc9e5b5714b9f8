"""Makes tests/vectors/segment-log.json: random operations on a repository of the reference Borg, and the SHA-256 of
every file that they leave. Run it by the Python that has Borg 1.4:

    python3 scripts/make-segment-log-vectors.py > tests/vectors/segment-log.json
"""

import hashlib
import json
import logging
import os
import random
import shutil
import sys
import tempfile

import borg.logger
from borg.repository import Repository

CASES = 12
OPERATIONS = 90
MANIFEST = -1


def id_of(number):
    return bytes(32) if number == MANIFEST else hashlib.sha256(str(number).encode()).digest()


def data_of(name, size):
    seed = hashlib.sha256(b"data %d" % name).digest()
    return bytes(seed[i % 32] ^ ((i >> 5) & 0xFF) for i in range(size))


def create(path):
    with Repository(path, create=True, exclusive=True) as repository:
        for key, value in {"max_segment_size": "1000", "segments_per_dir": "5", "id": "00" * 32}.items():
            repository.config.set("repository", key, value)
        repository.save_config(repository.path, repository.config)


def operate(rng, repository):
    operations, live, active = [], set(), False
    for _ in range(OPERATIONS):
        choice, number = rng.random(), rng.choice([MANIFEST, *range(8)])
        if choice < 0.5:
            name, size = rng.randrange(1000), rng.choice([0, 7, 90, 700])
            repository.put(id_of(number), data_of(name, size))
            operations.append(["put", number, name, size])
            live.add(number)
            active = True
        elif choice < 0.75:
            if number in live:
                repository.delete(id_of(number))
                operations.append(["delete", number])
                live.discard(number)
                active = True
        elif active:
            compact = choice >= 0.85
            threshold, cleanup = (rng.choice([0, 0.1, 0.5]), rng.random() < 0.2) if compact else (0, False)
            repository.commit(compact=compact, threshold=threshold, cleanup_commits=cleanup)
            operations.append(["compact", threshold, cleanup] if compact else ["commit"])
            active = False
    if active:
        repository.commit(compact=False)
        operations.append(["commit"])
    return operations


def digests(path):
    files = {}
    for folder, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                files[os.path.relpath(file.name, path)] = hashlib.sha256(file.read()).hexdigest()
    return dict(sorted(files.items()))


def make_case(seed, path):
    create(path)
    with Repository(path, exclusive=True) as repository:
        operations = operate(random.Random(seed), repository)
    files = digests(path)
    shutil.rmtree(path)
    return {"operations": operations, "files": files}


borg.logger.setup_logging(level="error")
logging.disable(logging.CRITICAL)
os.umask(0o077)
with tempfile.TemporaryDirectory() as scratch:
    cases = [make_case(seed, os.path.join(scratch, "repository")) for seed in range(CASES)]
sys.stdout.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
