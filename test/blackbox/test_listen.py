# SPDX-License-Identifier: MIT
"""Where the service listens, where it logs, and which of several databases it takes: each as an administrator
may set it."""
import grp
import os
import re
import shutil
import socket
import stat
import subprocess
import sys

import pytest

from harness import AS_ROOT, BINARY, Nginx, Service, answer_of, fastcgi_octets, folder, free_port, wait_until

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can")


class Started(Service):
    """A service that is started some other way than by its settings' file alone."""

    root = False  # it becomes www-data by itself
    prefix = ()
    arguments = ()
    descriptors = ()

    def argv(self, *arguments):
        if arguments[0] != "serve":
            return super().argv(*arguments)
        serve = [str(BINARY), "serve", "--config", str(self.dir / "latchkey.conf"), *self.arguments]
        return [*self.prefix, *(serve if self.root else super().argv(*arguments) + list(self.arguments))]

    def start(self):
        pass

    def serve(self):
        with open(self.dir / "log" / "stderr", "ab") as stderr:
            self.process = subprocess.Popen(self.argv("serve"), env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=stderr, pass_fds=self.descriptors)


@pytest.fixture
def started(cluster):
    """started(section__key=value, …): see Started."""
    made = []

    def started(**settings):
        made.append(Started(cluster, **settings))
        return made[-1]

    yield started
    for one in made:
        one.close()


def health(family, address):
    with socket.socket(family) as peer:
        peer.settimeout(15)
        peer.connect(address)
        peer.sendall(fastcgi_octets("/health"))
        return answer_of(peer)[0]


def test_the_socket_that_systemd_passes(started):
    service = started(http__listen="")
    path = str(service.dir / "passed")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(16)
        service.descriptors = (listener.fileno(),)
        # sd_listen_fds(3): the first is 3, and they are for the process of that id alone
        script = f'LISTEN_PID={{}} LISTEN_FDS=1 exec "$0" "$@" 3<&{listener.fileno()}'
        service.prefix = ("bash", "-c", script.format("$$"))
        service.serve()
        wait_until(lambda: service.alive() and service.children())
    assert health(socket.AF_UNIX, path) == 200
    service.stop()
    assert os.path.exists(path)  # it is systemd's


def test_a_socket_that_is_passed_to_another_process_is_not_taken(started):
    service = started(http__listen="")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        service.descriptors = (listener.fileno(),)
        service.prefix = ("bash", "-c", f'LISTEN_PID=1 LISTEN_FDS=1 exec "$0" "$@" 3<&{listener.fileno()}')
        run = subprocess.run(service.argv("serve"), env=service.environment, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, pass_fds=service.descriptors, timeout=20)
    assert run.returncode == 78 and "there is no socket to serve" in run.stderr


@pytest.mark.parametrize("family, host, where", [(socket.AF_INET, "127.0.0.1", "127.0.0.1:{}"), (socket.AF_INET6, "::1", "[::1]:{}")],
                         ids=["IPv4", "IPv6"])
def test_a_port(started, family, host, where):
    port = free_port()
    if family == socket.AF_INET6:
        try:
            with socket.socket(family) as probe:
                probe.bind((host, port))
        except OSError:
            pytest.skip("there is no IPv6")
    service = started(http__listen=where.format(port))
    service.serve()
    wait_until(lambda: service.alive() and service.children())
    assert health(family, (host, port)) == 200
    second = service.command("serve", "-o", f"http.listen={where.format(port)}")
    assert second.returncode == 78 and "cannot bind" in second.stderr


@pytest.mark.parametrize("mode", ["0660", "0600", "0666"])
def test_the_mode_of_the_socket(started, mode):
    service = started(http__socket_mode=mode)
    Service.start(service)
    assert stat.S_IMODE(os.stat(service.socket).st_mode) == int(mode, 8)
    assert health(socket.AF_UNIX, service.socket) == 200


@needs_root
def test_the_group_of_the_socket_is_who_may_connect(started):
    service = started(http__socket_group="nogroup", process__user="www-data")
    service.root = True
    shutil.chown(service.dir, "root", "root")
    Service.start(service)
    assert os.stat(service.socket).st_gid == grp.getgrnam("nogroup").gr_gid

    def connects(groups):
        script = f"import socket; socket.socket(socket.AF_UNIX).connect({service.socket!r})"
        return subprocess.run(["setpriv", "--reuid=nobody", f"--regid={groups}", "--clear-groups", sys.executable, "-c", script],
                              stderr=subprocess.DEVNULL).returncode == 0
    assert connects("nogroup") and not connects("daemon")


@pytest.mark.parametrize("setting, words", [
    ("http.socket_mode=rw", "http.socket_mode takes octal digits"), ("http.socket_mode=08", "http.socket_mode takes octal digits"),
    ("http.socket_group=no-such-group", "there is no group no-such-group"),
    pytest.param("http.socket_group=root", "only root and members of root", marks=needs_root)])
def test_a_mode_or_group_that_cannot_be(started, setting, words):
    service = started()
    run = service.command("serve", "-o", setting)
    assert run.returncode == 78 and words in run.stderr and not os.path.exists(service.socket)


@needs_root
def test_syslog(started):
    """In a /dev of its own, where the test listens at /dev/log."""
    service = started(log__target="syslog")
    path, dev = str(service.dir / "syslog"), folder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(path)
        os.chmod(path, 0o666)
        log.settimeout(20)
        script = f"""mount -t tmpfs -o mode=755 tmpfs {dev}
            for device in null zero random urandom; do : >{dev}/$device; mount --bind /dev/$device {dev}/$device; done
            : >{dev}/log; mount --bind {path} {dev}/log; mount --rbind {dev} /dev; exec "$0" "$@" """
        service.prefix = ("unshare", "--mount", "--propagation", "private", "bash", "-ec", script)
        service.query("DELETE FROM schema_migrations")  # a warning
        Service.start(service)
        lines = []
        while not lines or " started " not in lines[-1]:
            lines.append(log.recv(8192).decode())
        service.stop()
    # RFC 3164: facility daemon (3) times 8, plus the severity; then the time, the program and its process
    form = re.compile(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d latchkey\[(\d+)\]: supervisor (\w+) ")
    found = {form.match(line).groups() for line in lines if "supervisor" in line}
    assert {(str(3 * 8 + 4), "schema_old"), (str(3 * 8 + 6), "started")} <= {(priority, event) for priority, _, event in found}
    dev.rmdir()


def test_several_databases_of_which_one_is_there(cluster, started):
    if cluster.given:
        pytest.skip("the hosts of a given server are not ours")
    port = free_port()
    service = started()
    spellings = [f"postgresql:///{service.database}?host=/nowhere,127.0.0.1,{cluster.dir}&port=5432,{port},5432&user=postgres",
                 f"host=/nowhere,{cluster.dir} user=postgres dbname={service.database} target_session_attrs=read-write"]
    for number, url in enumerate(spellings):
        service.settings["database.url"] = url
        service.write()
        service.command("migrate", check=True)
        Service.start(service)
        web = Nginx(service)
        try:
            email = f"user{number}@example.com"
            assert web.post("/api/auth/register", {"email": email, "password": "password123", "full_name": "J"}).status == 201
            assert web.get(f"/api/auth/verify/{service.token(email, 'verify')}").status == 200
        finally:
            web.close()
        service.stop()


def test_more_hosts_than_the_lines_of_others_would_hold(cluster, started):
    """A connection string of some thousand octets in the settings' file."""
    if cluster.given:
        pytest.skip("the hosts of a given server are not ours")
    service = started()
    hosts = ",".join(f"/nowhere/number/{n:04}" for n in range(100))
    service.settings["database.url"] = f"host={hosts},{cluster.dir} user=postgres dbname={service.database}"
    service.write()
    assert len(service.settings["database.url"]) > 2000
    Service.start(service)
    assert health(socket.AF_UNIX, service.socket) == 200
