# SPDX-License-Identifier: MIT
"""Behind PgBouncer, which gives each transaction any of the server's connections."""
import shutil
import socket
import subprocess
import threading

import pytest

from harness import AS_ROOT, Nginx, Service, demote, folder, wait_until

USER = "www-data"


class Pooler:
    """PgBouncer between services and a cluster, with two connections for all."""

    def __init__(self, cluster):
        self.cluster, self.dir = cluster, folder()
        (self.dir / "pgbouncer.ini").write_text(
            f"[databases]\n* = {self.server()}\n[pgbouncer]\npool_mode = transaction\nauth_type = any\n"
            f"listen_addr =\nlisten_port = 6432\nunix_socket_dir = {self.dir}\ndefault_pool_size = 2\n"
            f"logfile = {self.dir}/pooler\npidfile = {self.dir}/pid\n")
        if AS_ROOT:
            shutil.chown(self.dir, USER)
        self.process = subprocess.Popen([*demote(USER), shutil.which("pgbouncer") or "/usr/sbin/pgbouncer",
                                         str(self.dir / "pgbouncer.ini")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.listens)

    def server(self):
        url = self.cluster.url()
        return f"host={self.cluster.dir} user=postgres" if not self.cluster.given else pytest.skip(f"not for {url}")

    def listens(self):
        assert self.process.poll() is None, (self.dir / "pooler").read_text()
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(f"{self.dir}/.s.PGSQL.6432") == 0

    def url(self, database):
        return f"postgresql:///{database}?host={self.dir}&port=6432&user=postgres"

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.dir)


class Pooled(Service):
    """A service whose database is behind the pooler; tests and migrations look at it directly."""

    def __init__(self, cluster, pooler, **settings):
        self.pooler = pooler
        super().__init__(cluster, **settings)

    def start(self):
        self.settings["database.url"] = self.pooler.url(self.database)
        self.write()
        super().start()


@pytest.fixture
def pooled(cluster):
    """pooled(section__key=value, …): a service behind a pooler, and the nginx before it."""
    pooler = Pooler(cluster)
    made = []

    def pooled(**settings):
        made.append(Pooled(cluster, pooler, **settings))
        made.append(Nginx(made[-1]))
        return made

    yield pooled
    for one in reversed(made):
        one.close()
    pooler.close()


def live(web, email):
    """An account's usual day; the statuses of all answers."""
    password = "password123"
    answers = [web.post("/api/auth/register", {"email": email, "password": password, "full_name": "J"})]
    for _ in range(5):
        answers.append(web.post("/api/auth/login", {"username": email, "password": password}))
        if answers[-1].status != 200:
            break
        tokens = answers[-1].json
        answers += [web.get("/api/auth/me", token=tokens["access_token"]),
                    web.post("/api/auth/refresh", {"refresh_token": tokens["refresh_token"]}),
                    web.post("/api/auth/logout", {}, token=tokens["access_token"])]
    return [answer.status for answer in answers]


def live_together(web, address, count=6):
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(live(web, address()))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_without_prepared_statements_all_works(pooled, address):
    service, web = pooled(database__prepared="no", tokens__algorithm="ES256")
    assert live_together(web, address) == [[201, *[200] * 20]] * 6
    email = address()
    assert web.post("/api/auth/register", {"email": email, "password": "password123", "full_name": "J"}).status == 201
    assert web.get(f"/api/auth/verify/{service.token(email, 'verify')}").status == 200


def test_with_them_the_log_says_what_to_set(pooled, address):
    service, web = pooled()
    service.expect("statement_failed", None, "sqlstate=(26000|42P05) ")
    wait_until(lambda: live_together(web, address, 2) and service.log_contains(
        r"statement_failed .*sqlstate=(26000|42P05) .*database.prepared = no"))
