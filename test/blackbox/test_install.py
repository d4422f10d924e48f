# SPDX-License-Identifier: MIT
"""The installation that README.md prints, line by line, where nothing of it stays: /etc and /usr/local are
overlays that only the test's processes see."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import AS_ROOT, ROOT, folder

SECTION = "## Behind your own web server"


def blocks():
    """The commands before the editing, what is written then, and the commands behind it."""
    text = (ROOT / "README.md").read_text().split(SECTION)[1].split("\n### ")[0]
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.M | re.S)
    assert [kind for kind, _ in found] == ["sh", "ini", "sh"]
    return [block for _, block in found]


def unit(name):
    """All values of a name in the unit, in order."""
    return re.findall(rf"^{name}=(.*)$", (ROOT / "deploy/latchkey.service").read_text(), re.M)


def started_as_the_unit_says():
    """What systemd does, as far as a shell can: `systemctl enable --now latchkey`."""
    user, = unit("User")
    groups, = unit("SupplementaryGroups")
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={user},{groups}", "--no-new-privs", "--"]
    runtime, = unit("RuntimeDirectory")
    lines = [f"install -d -o {user} -g {user} /run/{runtime}"]
    for command in unit("ExecStartPre"):
        ignored = " || true" if command[0] == "-" else ""
        lines.append(shlex.join(become) + " " + command.lstrip("-") + ignored)
    serve, = unit("ExecStart")
    return "\n".join(lines + [shlex.join(become) + f" {serve} & served=$!"])


def reloaded_as_the_unit_says():
    """`systemctl reload latchkey`, until other children are there."""
    reload, = unit("ExecReload")
    return f"""children() {{ cat /proc/$served/task/$served/children; }}
        MAINPID=$served before=$(children)
        {reload}
        while [ "$(children | wc -w)" != "$(echo $before | wc -w)" ] || [ "$(children)" = "$before" ]; do sleep 0.1; done"""


def test_what_is_added_for_sendmail_takes_back_what_the_unit_says():
    """Nothing else, and all that implies NoNewPrivileges (systemd.exec(5)), without which setgid programs are none."""
    added = dict(line.split("=", 1) for line in (ROOT / "deploy/latchkey-sendmail.conf").read_text().splitlines()
                 if re.match(r"\w+=", line))
    implying = {"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "ProtectClock", "ProtectHostname",
                "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictAddressFamilies", "RestrictNamespaces",
                "RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallFilter"}
    assert added.pop("ReadWritePaths") and set(added) == {name for name in implying if unit(name)}
    assert set(added.values()) == {"no", ""} and all(unit(name) not in (["no"], [""]) for name in added)


# Overlays, and a cluster of ours where Debian's would be, with Debian's rule: a role for each user of the
# system by that name, and nobody else.
OVERLAYS = """
set -eu
for place in /etc /usr/local; do
    mkdir -p "$scratch$place/upper" "$scratch$place/work"
    mount -t overlay overlay -o "lowerdir=$place,upperdir=$scratch$place/upper,workdir=$scratch$place/work" "$place"
done
mount -t tmpfs -o mode=755 tmpfs /run
[ ! -e /bin/kill ] || mount --bind /dev/null /bin/kill # it comes with procps, which not every Debian has
"""
CLUSTER = """
install -d -o postgres /run/postgresql "$scratch/cluster"
cd "$scratch/cluster"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@" >/dev/null; }
as_postgres $postgresql/initdb -D data -U postgres -A peer -E UTF8 --no-sync --no-instructions
as_postgres $postgresql/pg_ctl -D data -w -l log -o "-c listen_addresses= -c fsync=off -k /run/postgresql" start
trap 'as_postgres $postgresql/pg_ctl -D "$scratch/cluster/data" -m immediate -w stop' EXIT
cd "$checkout"
"""


@pytest.fixture
def world():
    if not AS_ROOT:
        pytest.skip("only root installs")
    scratch = folder()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", scratch], check=True)
    checkout = scratch / "checkout"
    for name in subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)

    compiler = {"CC": "ccache gcc"} if shutil.which("ccache") else {}
    environment = {**os.environ, **compiler, "scratch": str(scratch), "checkout": str(checkout), "LC_ALL": "C.UTF-8",
                   "postgresql": sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))[-1]}

    def run(script):
        return subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", OVERLAYS + script],
                              env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    try:
        if run("true").returncode != 0:
            pytest.skip("this machine has no overlays for us")
        yield lambda script: run(CLUSTER + script)
    finally:
        subprocess.run(["umount", scratch], check=True)
        scratch.rmdir()


HEALTH = f"""
import sys, time, types
sys.path.insert(0, {str(ROOT / "test/blackbox")!r})
from harness import fastcgi, wait_until
import os
service = types.SimpleNamespace(socket="/run/latchkey/latchkey.sock")
wait_until(lambda: os.path.exists(service.socket))
print(fastcgi(service, "/health").recv(65536).decode(errors="replace"))
"""


def test_the_installation_as_printed_serves(world):
    install, settings, start = blocks()
    assert "systemctl" in start
    start = re.sub(r"^systemctl .*$", lambda _: started_as_the_unit_says(), start, flags=re.M)
    installed = world(f"{install}\ncat >>/etc/latchkey/latchkey.conf <<'INI'\n{settings}INI\n{start}\n"
                      f"{shlex.quote(sys.executable)} -c {shlex.quote(HEALTH)}\n"
                      f"{reloaded_as_the_unit_says()}\n"
                      "stat -c '%a %U %G %n' /etc/latchkey /etc/latchkey/* /etc/latchkey/keys/*\n"
                      "kill $served; wait $served")
    assert installed.returncode == 0, installed.stdout[-3000:] + installed.stderr[-3000:]
    assert '"status":"ok"' in installed.stdout and " reloaded " in installed.stderr
    assert re.search(r"^750 root latchkey /etc/latchkey$", installed.stdout, re.M)
    assert re.search(r"^640 root latchkey /etc/latchkey/latchkey.conf$", installed.stdout, re.M)
    assert re.search(r"^750 root latchkey /etc/latchkey/keys$", installed.stdout, re.M)
    assert re.search(r"^640 root latchkey /etc/latchkey/keys/\S+.pem$", installed.stdout, re.M)
    assert not Path("/etc/latchkey").exists()
