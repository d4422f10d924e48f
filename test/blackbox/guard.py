# SPDX-License-Identifier: MIT
"""Nothing of a run stays behind, however it ends: by itself, by INT, TERM or HUP, or by a kill -9 of
any one of its processes.

enter() splits the process in three. The first keeps the process id that was started and waits for the
second; the second waits for the third, which comes back from enter() and is the run. The first two are
subreapers (prctl(2)): daemons that leave their parent become theirs, so whatever the run has started is
found among their descendants. When the run has ended they kill what is left of it and remove its
folder; where one of the two is killed, the other does."""
import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

FOLDER = "LATCHKEY_TEST_FOLDER"  # the environment's name of the run's folder
PARENT = "LATCHKEY_TEST_PARENT"  # the process that has started the run, and that it is to end with
PATIENCE = 20  # seconds for the run to end by itself after INT
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SI_KERNEL = 0x80
IPC_RMID = 0
STARTED_AT = int(time.time())
WATCHED = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}

libc = ctypes.CDLL(None)


def die_with_parent(parent, number=signal.SIGKILL):
    """The calling process gets the signal when its parent ends, whose id is given."""
    libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def descendants():
    """Process ids and names of all that run and have come from this process."""
    processes = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            name, rest = (path / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            state, parent = rest.split()[:2]
            processes[int(path.name)] = (int(parent), name, state)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile
    family, grown = {os.getpid()}, True
    while grown:
        children = {p for p, (parent, _, _) in processes.items() if parent in family}
        grown = not children <= family
        family |= children
    return {p: processes[p][1] for p in family - {os.getpid()} if processes[p][2] != "Z"}


def family():
    """Process ids of the three, the first first, from within the run."""
    second = os.getppid()
    first = int(Path(f"/proc/{second}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return [first, second, os.getpid()]


def reap():
    """Process ids and wait statuses of the children that have ended."""
    ended = {}
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if child == 0:
            return ended
        ended[child] = status


def sweep(child):
    """Kills the run first, so that it starts nothing more, and then all that it has started."""
    end = time.monotonic() + 30
    killed = set()
    left = {child} & set(descendants())
    while (left or (left := set(descendants()))) and time.monotonic() < end:
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        killed |= left
        left = set()
        reap()
        time.sleep(0.01)
    remove_shared_memory(killed)


def remove_shared_memory(creators):
    """Of System V, which PostgreSQL has a little of, and which outlives a process that is killed: by sweep(), or
    with the whole process group by somebody else."""
    for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
        fields = [int(field) for field in line.split()]
        segment, creator, attached, changed_at = fields[1], fields[4], fields[6], fields[13]
        orphan = attached == 0 and changed_at >= STARTED_AT and not os.path.exists(f"/proc/{creator}")
        if creator in creators or orphan:
            libc.shmctl(segment, IPC_RMID, None)


def watch(child):
    """Until the child has ended, or has been told to and did not. Returns an exit status."""
    deadline = None
    while True:
        left = 60 if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return 128 + signal.SIGINT
        info = signal.sigtimedwait(WATCHED, left)
        ended = reap()
        if child in ended:
            code = os.waitstatus_to_exitcode(ended[child])
            return code if code >= 0 else 128 - code
        if info is None or info.si_signo == signal.SIGCHLD:
            continue
        if info.si_signo != signal.SIGINT or deadline is not None:
            return 128 + info.si_signo
        deadline = time.monotonic() + PATIENCE
        if info.si_code != SI_KERNEL:  # the terminal has told the child too
            os.kill(child, signal.SIGINT)


def stand_by(child, folder):
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    status = watch(child)
    sweep(child)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(status)


def enter():
    """Comes back in the run, with a folder for all its files in the environment."""
    if FOLDER in os.environ:
        return  # a part of a run that is guarded already
    if parent := os.environ.pop(PARENT, None):
        die_with_parent(int(parent), signal.SIGTERM)
    folder = tempfile.mkdtemp(prefix="lk-")
    os.chmod(folder, 0o755)
    os.environ[FOLDER] = os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
    sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in what a script starts with &
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    for number in (signal.SIGTERM, signal.SIGKILL):  # what each of the two inner ones gets when its parent ends
        parent = os.getpid()
        child = os.fork()
        if child:
            if number == signal.SIGKILL:
                os.setsid()  # who kills the process group does not kill this one
            stand_by(child, folder)
        die_with_parent(parent, number)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
