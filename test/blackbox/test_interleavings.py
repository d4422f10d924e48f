# SPDX-License-Identifier: MIT
"""Every two operations on one user, in every order that matters, forced and not hoped for.

`commit`  the first has run, holds its locks and is not committed; the second runs until it waits for it, or is done
`before`  the first has read what it decides on; the second is done before the first writes
`queue`   both have begun and wait for the user's row; the first is ahead

Afterwards: no answer is an error, who was refused was refused for a reason, no session is alive that was opened under a
password that is no longer the password, and nothing that was acknowledged is undone."""
import concurrent.futures
import hashlib
import secrets
import time

import psycopg2
import pytest

from gate import Gate
from harness import Nginx, Service, wait_until
from test_dialects import cookie_of

PASSWORD = "password123"
SCENARIOS = ("commit", "before", "queue")


class World:
    """Two services on one database; statements of the left one can be held."""

    def __init__(self, cluster):
        self.cluster, self.database = cluster, cluster.create()
        url = cluster.url(self.database)
        self.gate = Gate(url)
        more = {"database__timeout": "20s", "passwords__memory": 8, "passwords__passes": 1, "log__level": "info"}
        self.right = Service(cluster, database__url=url, http__workers=2, **more)
        self.right_web = Nginx(self.right)
        self.old_hash = self.hash_of(PASSWORD)
        self.right.settings["passwords.memory"] = "16"
        more["passwords__memory"] = 16
        self.left = Service(cluster, database__url=self.gate.url, http__workers=1, tokens__keys=self.right.dir / "keys", **more)
        self.left_web = Nginx(self.left)
        self.right.write()
        self.right.stop()
        self.right.start()  # for the keys
        self.hash = self.hash_of(PASSWORD)
        self.monitor = self.connect()
        self.pool = concurrent.futures.ThreadPoolExecutor(8)

    def connect(self, autocommit=True):
        connection = psycopg2.connect(self.cluster.url(self.database))
        connection.autocommit = autocommit
        return connection

    def query(self, text, *values):
        connection = getattr(self, "monitor", None) or self.connect()
        with connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else None

    def hash_of(self, password):
        email = f"{secrets.token_hex(8)}@example.com"
        body = {"email": email, "password": password, "full_name": "J"}
        assert self.right_web.post("/api/auth/register", body).status == 201
        return self.query("SELECT password_hash FROM users WHERE email = %s", email)[0][0]

    def waiting(self):
        return self.query("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
                          self.database)[0][0]

    def close(self):
        for one in (self.left_web, self.left, self.right_web, self.right, self.gate):
            one.close()
        self.monitor.close()
        self.cluster.drop(self.database)


@pytest.fixture(scope="module")
def world(cluster):
    world = World(cluster)
    yield world
    world.close()


class User:
    """An account with two sessions, S and O, and mails with links."""

    def __init__(self, world, password_hash):
        self.world, self.email = world, f"{secrets.token_hex(8)}@example.com"
        self.pk = world.query("INSERT INTO users (email, password_hash) VALUES (%s, %s) RETURNING pk",
                              self.email, password_hash)[0][0]
        self.resets = {side: self.link("reset") for side in "AB"}
        self.verify = self.link("verify")
        self.sessions = {}
        self.answers = {}  # of the two operations, by side

    def link(self, purpose):
        token = secrets.token_urlsafe(32)
        self.world.query("INSERT INTO one_time_tokens VALUES (%s, %s, %s, now(), now() + interval '1 hour')",
                         hashlib.sha256(token.encode()).digest(), self.pk, purpose)
        return token

    def log_in(self, web, password=PASSWORD):
        return web.post("/api/auth/login", {"username": self.email, "password": password})

    def open_sessions(self):
        for name in "SO":
            self.sessions[name] = [self.log_in(self.world.right_web).json]
        return self


# ---- what can be done; each gets the web server to ask, the user, the session to act in, and the side

def log_in(web, user, session, side):
    answer = user.log_in(web)
    if answer.status == 200:
        user.sessions[side] = [answer.json]
    return answer


def refresh(web, user, session, side):
    return web.post("/api/auth/refresh", {"refresh_token": user.sessions[session][0]["refresh_token"]})


def rotate(web, user, session, side):
    cookie = {"Cookie": "refresh_token=" + user.sessions[session][0]["refresh_token"]}
    answer = web.post("/auth/refresh", headers=cookie, host="cookie.localhost")
    if answer.status == 200:
        user.sessions[session].append({**answer.json, "refresh_token": cookie_of(answer).value})
    return answer


def log_out(web, user, session, side):
    return web.post("/api/auth/logout", token=user.sessions[session][0]["access_token"])


def change(web, user, session, side):
    return web.post("/api/auth/change-password", {"current_password": PASSWORD, "new_password": "new password " + side},
                    token=user.sessions[session][0]["access_token"])


def reset(web, user, session, side):
    new = "new password " + side
    return web.post("/api/auth/password-reset/" + user.resets[side], {"new_password": new, "confirm_password": new})


def verify(web, user, session, side):
    return web.get("/api/auth/verify/" + user.verify)


class Operation:
    """A request and the statement that decides it, or an administrator's SQL. `killers` are those others that may be why
    it is refused; `in_session`: it acts in one session; `reads`: another statement comes before."""

    def __init__(self, run, statement, killers, in_session=False, reads=False):
        self.run, self.statement, self.killers = run, statement, killers.split()
        self.in_session, self.reads = in_session, reads


ENDS_ALL = "reset disable delete"
OPERATIONS = {
    "login": Operation(log_in, "session_open", ENDS_ALL + " change", reads=True),
    "rehash": Operation(log_in, "password_rehash", ENDS_ALL + " change", reads=True),
    "refresh": Operation(refresh, "session_touch", ENDS_ALL + " logout", True, reads=True),
    "rotate": Operation(rotate, "session_rotate", ENDS_ALL + " logout", True),
    "logout": Operation(log_out, "session_end", ENDS_ALL + " logout", True),
    "change": Operation(change, "password_change", ENDS_ALL + " logout change", True, reads=True),
    "reset": Operation(reset, "reset_confirm", ENDS_ALL + " change", reads=True),
    "verify": Operation(verify, "email_verify", "delete"),
    "disable": Operation("UPDATE users SET disabled_at = now() WHERE pk = %s", None, ""),
    "delete": Operation("DELETE FROM users WHERE pk = %s", None, ""),
}


class Run:
    """One pair on a user of its own. A acts in the session S; B in the same, or in O."""

    def __init__(self, world, scenario, first, second, other):
        self.world, self.scenario, self.names = world, scenario, {"A": first, "B": second}
        self.session = {"A": "S", "B": "O" if other else "S"}
        old = "rehash" in (first, second)
        self.user = User(world, world.old_hash if old else world.hash).open_sessions()
        if old:  # to open them has renewed it
            world.query("UPDATE users SET password_hash = %s WHERE pk = %s", world.old_hash, self.user.pk)
        if "refresh" in (first, second):  # so long ago that it writes
            world.query("UPDATE sessions SET last_used_at = now() - interval '2 hours' WHERE user_pk = %s", self.user.pk)

    def __repr__(self):
        return f"{self.scenario}: {self.names} in {self.session}, answered {self.user.answers}"

    def start(self, side, web, connection=None):
        operation = OPERATIONS[self.names[side]]
        if not operation.statement:
            return self.world.pool.submit(self.execute, operation.run, connection)
        return self.world.pool.submit(operation.run, web, self.user, self.session[side], side)

    def execute(self, text, connection):
        own = connection or self.world.connect()
        with own.cursor() as cursor:
            cursor.execute(text, (self.user.pk,))
        if not connection:
            own.close()

    def until_it_waits(self, future, already=0):
        wait_until(lambda: future.done() or self.world.waiting() > already, step=0.001)

    # ---- the scenarios: each starts both, and returns their futures
    def commit(self):
        statement = OPERATIONS[self.names["A"]].statement
        if not statement:
            connection = self.world.connect(autocommit=False)
            first = self.start("A", None, connection)
            first.result()
            second = self.start("B", self.world.right_web)
            self.until_it_waits(second)
            connection.commit()
            connection.close()
            return first, second
        return self.held(statement, Gate.COMMIT, self.until_it_waits)

    def before(self):
        return self.held(OPERATIONS[self.names["A"]].statement, Gate.BEFORE, lambda second: second.result(timeout=30))

    def held(self, statement, point, meanwhile):
        hold = self.world.gate.hold(statement, point)
        try:
            first = self.start("A", self.world.left_web)
            wait_until(lambda: hold.reached.is_set() or first.done(), step=0.001)
            assert hold.reached.is_set(), f"{self}: {statement} was never run: {first.result()}"
            second = self.start("B", self.world.right_web)
            meanwhile(second)
        finally:
            hold.release()
        return first, second

    def queue(self):
        connection = self.world.connect(autocommit=False)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM users WHERE pk = %s FOR UPDATE", (self.user.pk,))
            first = self.start("A", self.world.left_web)
            self.until_it_waits(first)
            already = self.world.waiting()
            second = self.start("B", self.world.right_web)
            self.until_it_waits(second, already)
        finally:
            connection.close()
        return first, second

    # ---- what must hold
    def check(self):
        first, second = getattr(self, self.scenario)()
        self.user.answers = {"A": first.result(), "B": second.result()}
        acked = {side for side, answer in self.user.answers.items() if answer is None or answer.status == 200}
        self.check_answers(acked)
        disabled = "disable" in self.names.values()
        deleted = "delete" in self.names.values()
        if disabled:
            assert self.user.log_in(self.world.right_web).status == 401, self
            self.check_sessions(acked)
            self.world.query("UPDATE users SET disabled_at = NULL WHERE pk = %s", self.user.pk)
        self.check_sessions(acked)
        self.check_password(acked, deleted)

    def check_answers(self, acked):
        for side in set("AB") - acked:
            other = "AB".replace(side, "")
            killer = self.names[other]
            reasons = list(OPERATIONS[self.names[side]].killers)
            if OPERATIONS[self.names[side]].in_session and self.session[side] != self.session[other]:
                reasons = [r for r in reasons if r != "logout"] + ["change"]
            assert self.user.answers[side].status in (400, 401), self
            assert other in acked and killer in reasons, self
        for pair in (["change", "change"], ["reset", "reset"]):
            assert list(self.names.values()) != pair or len(acked) == 1, self

    def lives(self, session, acked):
        for side in acked:
            name, acts_in = self.names[side], self.session[side]
            if name in ENDS_ALL.split() or (name == "logout" and acts_in == session) or (name == "change" and acts_in != session):
                return False
        return True

    def check_sessions(self, acked):
        web = self.world.right_web
        for session, tokens in self.user.sessions.items():
            wanted = 200 if self.lives(session, acked) else 401
            assert web.get("/api/auth/me", token=tokens[0]["access_token"]).status == wanted, (session, wanted, self)
            assert len({t["refresh_token"] for t in tokens[1:]}) <= 1, self  # one successor
            body = {"refresh_token": tokens[-1]["refresh_token"]}
            assert web.post("/api/auth/refresh", body).status == wanted, (session, wanted, self)
        stolen = self.world.query("SELECT count(*) FROM events WHERE user_pk = %s AND kind = 'refresh_token_reused'", self.user.pk)
        assert stolen == [(0,)], self

    def check_password(self, acked, deleted):
        password = PASSWORD
        for wanted in ("change", "reset"):  # a change that is acknowledged comes before a reset, which ends its session
            for side in acked:
                if self.names[side] == wanted:
                    password = "new password " + side
        assert self.user.log_in(self.world.right_web, password).status == (401 if deleted else 200), self
        if password != PASSWORD:
            assert self.user.log_in(self.world.right_web).status == 401, self


@pytest.mark.parametrize("first, scenario", [(name, scenario) for name, operation in OPERATIONS.items() for scenario in SCENARIOS
                                             if scenario != "before" or operation.reads])
def test_pairs(world, scenario, first):
    for second, operation in OPERATIONS.items():
        for other in (False, True):
            if not other or (OPERATIONS[first].in_session and operation.in_session):
                Run(world, scenario, first, second, other).check()


@pytest.mark.parametrize("by", [change, reset])
@pytest.mark.parametrize("asked", ["before", "meanwhile"])
def test_a_new_password_voids_links_that_are_on_their_way(world, by, asked):
    """The courier makes a reset token valid some time after it was asked for; here in the very moment when the password
    changes, so that this does not see it."""
    user = User(world, world.hash).open_sessions()
    holder, courier = world.connect(autocommit=False), world.connect(autocommit=False)
    token = secrets.token_urlsafe(32)
    with holder.cursor() as holding, courier.cursor() as making:
        holding.execute("SELECT FROM users WHERE pk = %s FOR NO KEY UPDATE", (user.pk,))
        if asked == "before":
            making.execute("SELECT now()")
        future = world.pool.submit(by, world.right_web, user, "S", "A")
        wait_until(lambda: world.waiting(), step=0.001)
        making.execute("INSERT INTO one_time_tokens VALUES (%s, %s, 'reset', now(), now() + interval '1 hour')",
                       (hashlib.sha256(token.encode()).digest(), user.pk))
        if asked == "meanwhile":
            courier.commit()
    holder.close()
    assert future.result().status == 200
    courier.commit()
    courier.close()
    user.resets["B"] = token
    assert reset(world.right_web, user, "S", "B").status == 400
    user.resets["B"] = user.link("reset")  # one that is asked for now
    assert reset(world.right_web, user, "S", "B").status == 200
