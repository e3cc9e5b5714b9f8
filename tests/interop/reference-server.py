"""Runs many command lines of the reference Borg, in a process each, without starting Python each time.

Each line of the standard input is a request {"args": [...], "env": {...}, "cwd": "...", "input": "..."}; each line of
the output is its answer {"status": ..., "stdout": ..., "stderr": ...}. Words, input and outputs have one character a
byte.
"""

import json
import os
import sys
import traceback

sys.argv = ["borg"]

import borg.archiver

ARCHIVER = borg.archiver.Archiver()
PARSER = ARCHIVER.build_parser()
# Building it takes longer than all that wrong command lines need.
ARCHIVER.build_parser = lambda: PARSER
borg.archiver.Archiver = lambda: ARCHIVER


def run(request, stdin, stdout, stderr):
    """In a process of its own; does not return."""
    status = 1
    try:
        for number, fd in enumerate((stdin, stdout, stderr)):
            os.dup2(fd, number)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = ["borg"] + [os.fsdecode(word.encode("latin1")) for word in request["args"]]
        borg.archiver.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
        os._exit(status)


def contents(fd):
    size = os.fstat(fd).st_size
    return os.pread(fd, size, 0).decode("latin1")


def answer(request):
    fds = stdin, stdout, stderr = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    os.pwrite(stdin, request.get("input", "").encode("latin1"), 0)
    pid = os.fork()
    if pid == 0:
        run(request, stdin, stdout, stderr)
    _, status = os.waitpid(pid, 0)
    outcome = {
        "status": os.waitstatus_to_exitcode(status),
        "stdout": contents(stdout),
        "stderr": contents(stderr),
    }
    for fd in fds:
        os.close(fd)
    return outcome


def main():
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    for line in os.fdopen(os.dup(0), "rb"):
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


main()
