# SPDX-License-Identifier: MIT
"""Others start the service: spawn-fcgi for nginx and lighttpd, lighttpd itself, Apache with mod_fcgid.
What the README shows for each of them is what runs here."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import AS_ROOT, BINARY, Nginx, Service, WebServer, demote, wait_until


class Unstarted(Service):
    """A service that is ready to be started: its program has a name that says serve."""

    WORKERS = "2"

    def __init__(self, cluster):
        self.program = None
        super().__init__(cluster, http__listen="", http__workers=self.WORKERS)

    def start(self):
        self.program = self.dir / "latchkey.fcgi"
        shutil.copy(BINARY, self.program)

    def processes(self):
        """Process and parent of all that run the program."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.program).encode() in (path / "cmdline").read_bytes().split(b"\0"):
                    found[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                pass  # it has ended meanwhile
        return found

    def workers(self):
        """Processes that answer: the children of a supervisor, or those that have none."""
        found = self.processes()
        return [p for p in found if found[p] in found] or list(found)


class Alone(Unstarted):
    WORKERS = "0"


class Daemon(Unstarted):
    """Started by spawn-fcgi, which then is gone."""

    def start(self):
        super().start()
        as_user = ["-u", "www-data", "-g", "www-data", "-U", "www-data", "-G", "www-data"] if AS_ROOT else []
        subprocess.run(["spawn-fcgi", "-s", self.socket, "-M", "0660", "-P", f"{self.dir}/pid", *as_user, "--",
                        str(self.program), "serve", "--config", f"{self.dir}/latchkey.conf"],
                       check=True, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop(self):
        if self.processes():
            os.kill(int((self.dir / "pid").read_text()), signal.SIGTERM)


class Lighttpd(WebServer):
    """lighttpd in front of a socket."""

    def backend(self):
        return ""

    def configure(self):
        if AS_ROOT:
            shutil.chown(self.dir, "www-data")
        (self.dir / "lighttpd.conf").write_text(
            f'server.document-root = "{self.dir}"\nserver.bind = "127.0.0.1"\nserver.port = {self.port}\n'
            f'server.errorlog = "{self.dir}/error.log"\nserver.upload-dirs = ("{self.dir}")\n'
            'server.modules += ("mod_fastcgi")\n'
            'fastcgi.server = ("/api/auth" => ((\n'
            f'    "socket" => "{self.service.socket}", {self.backend()}\n'
            '    "check-local" => "disable", "connect-timeout" => 2, "read-timeout" => 10, "write-timeout" => 10)))\n')
        return demote("www-data") + [shutil.which("lighttpd") or "/usr/sbin/lighttpd", "-D", "-f",
                                     f"{self.dir}/lighttpd.conf"]


class LighttpdSpawns(Lighttpd):
    def backend(self):
        return f'"bin-path" => "{self.service.program} --config {self.service.dir}/latchkey.conf", "max-procs" => 1,'

    def environment(self):
        return self.service.environment


class Fcgid(WebServer):
    """Apache starts the program by its name, and says in the environment where its settings are."""

    MODULES = ("mpm_event", "authz_core", "alias", "fcgid", "rewrite")

    def site(self):
        return (f"ScriptAlias /api/auth {self.service.program}\n<Directory {self.service.dir}>\nRequire all granted\n"
                "Options +ExecCGI\nSetHandler fcgid-script\nCGIPassAuth On\n</Directory>\n"
                f"FcgidInitialEnv LATCHKEY_CONFIG {self.service.dir}/latchkey.conf\n")

    def configure(self):
        if AS_ROOT:
            shutil.chown(self.dir, "www-data")
        modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in self.MODULES)
        user = "User www-data\nGroup www-data\n" if AS_ROOT else ""
        environment = "".join(f"FcgidInitialEnv {k} {v}\n" for k, v in self.service.environment.items())
        (self.dir / "apache.conf").write_text(
            f"{modules}{user}Listen 127.0.0.1:{self.port}\nServerName localhost\nPidFile {self.dir}/pid\n"
            f"ErrorLog {self.dir}/error.log\nDefaultRuntimeDir {self.dir}\nMutex file:{self.dir} default\n"
            f"FcgidIPCDir {self.dir}\nFcgidProcessTableFile {self.dir}/fcgid_shm\nFcgidMaxProcessesPerClass 4\n"
            f"FcgidMaxRequestLen 1048576\nAllowEncodedSlashes NoDecode\n{environment}{self.site()}")
        return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(self.dir / "apache.conf")]


class SharedHosting(Fcgid):
    """Nothing but a folder of one's own: .htaccess, and a script that says where all is."""

    def site(self):
        web = self.dir / "www"
        web.mkdir()
        script = web / "latchkey.fcgi"
        script.write_text(f"#!/bin/sh\nexec {self.service.program} serve --config {self.service.dir}/latchkey.conf\n")
        script.chmod(0o755)
        (web / ".htaccess").write_text("Options +ExecCGI\nCGIPassAuth On\n"
                                       "<Files latchkey.fcgi>\nSetHandler fcgid-script\n</Files>\n"
                                       "RewriteEngine On\nRewriteRule ^api/auth(/.*)?$ latchkey.fcgi$1 [L]\n")
        return f"DocumentRoot {web}\n<Directory {web}>\nRequire all granted\nAllowOverride All\n</Directory>\n"


KINDS = {"spawn_fcgi_nginx": (Daemon, Nginx), "spawn_fcgi_lighttpd": (Daemon, Lighttpd),
         "lighttpd": (Unstarted, LighttpdSpawns), "mod_fcgid": (Alone, Fcgid), "shared_hosting": (Alone, SharedHosting)}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def spawned(request, cluster):
    service = request.param[0](cluster)
    web = None
    try:
        web = request.param[1](service)
        yield service, web
    finally:
        if web and web.process.poll() is None:
            web.close()
        service.close()


def test_an_account_lives(spawned, address):
    service, web = spawned
    email = address()
    assert web.post("/api/auth/register", {"email": email, "password": "password123", "full_name": "J"}).status == 201
    answer = web.post("/api/auth/login", {"username": email, "password": "password123"})
    me = web.get("/api/auth/me/", token=answer.json["access_token"])
    assert (me.status, me.json["email"]) == (200, email)
    assert web.get(f"/api/auth/verify/{service.token(email, 'verify')}").status == 200


def test_errors_arrive_as_the_service_said_them(spawned):
    _, web = spawned
    json = {"Content-Type": "application/json"}
    answer = web.post("/api/auth/login", b"{", headers=json)
    assert (answer.status, answer.json["code"]) == (400, "malformed_json")
    answer = web.get("/api/auth/me", token="nonsense")
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert web.get("/api/auth/nowhere").json["code"] == "not_found"
    answer = web.post("/api/auth/login", b" " * 100000, headers=json)
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


def test_other_methods_are_answered(spawned):
    _, web = spawned
    head, get = web.request("HEAD", "/api/auth/health"), web.get("/api/auth/health")
    assert (head.status, head.body, get.status) == (200, b"", 200)
    options = web.request("OPTIONS", "/api/auth/login")
    assert options.status == 204 and "POST" in options.headers["Allow"]
    assert web.request("DELETE", "/api/auth/login").json["code"] == "method_not_allowed"


def test_killed_processes_are_replaced(spawned):
    service, web = spawned
    assert web.get("/api/auth/health").status == 200
    # a supervisor that spawn-fcgi has started is nobody's child: only its workers come back. lighttpd starts no
    # other where, at the moment it looks, somebody still listens at the socket, and that is a matter of luck
    alone = isinstance(service, Daemon) or isinstance(web, LighttpdSpawns)
    for doomed in [service.workers] if alone else [service.workers, service.processes]:
        before = set(doomed())
        for process in before:
            service.kill(process)
        wait_until(lambda: not before & set(service.processes()) and web.get("/api/auth/health").status == 200)


def test_nothing_is_left_when_the_web_server_stops(spawned):
    service, web = spawned
    assert web.get("/api/auth/health").status == 200 and service.processes()
    stopped = time.monotonic()
    web.close()
    service.stop()
    wait_until(lambda: not service.processes(), timeout=5)
    assert time.monotonic() - stopped < 10
