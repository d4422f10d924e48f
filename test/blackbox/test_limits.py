# SPDX-License-Identifier: MIT
"""How often something may be tried. Time passes by moving what was counted into the past, so hours
take no time and a busy machine changes nothing."""
import concurrent.futures
import random
import secrets
import time
import uuid

import psycopg2
import pytest

from harness import wait_until

PASSWORD = "password123"
WRONG = "not the password"
SECOND = 1_000_000


class Site:
    """A service with limits, as clients of many networks see it."""

    def __init__(self, make, **settings):
        self.service, self.web = make(http__trusted_proxies="127.0.0.1", **settings)

    def post(self, path, body, client="192.0.2.1", **more):
        return self.web.post(path, body, headers={"X-Forwarded-For": client}, **more)

    def register(self, email, client="203.0.113.1", **more):
        answer = self.post("/api/auth/register", {"email": email, "password": PASSWORD, "full_name": "J", **more}, client)
        assert answer.status == 201, answer
        return email

    def log_in(self, name, client="192.0.2.1", password=PASSWORD):
        return self.post("/api/auth/login", {"username": name, "password": password}, client)

    def fail(self, name, client="192.0.2.1"):
        """The status of a log-in with a wrong password."""
        return self.log_in(name, client, WRONG).status

    def fail_until_refused(self, name, client="192.0.2.1", at_most=1000):
        """How many are answered 401, and the Retry-After of the one that is not."""
        for count in range(at_most):
            answer = self.log_in(name, client, WRONG)
            if answer.status != 401:
                assert (answer.status, answer.json["code"]) == (429, "too_many_requests")
                return count, int(answer.headers["Retry-After"])
        raise AssertionError(f"{at_most} tries and no end")

    def pass_time(self, seconds):
        self.service.query("UPDATE rate_limits SET busy_until = busy_until - %s", seconds * SECOND)
        self.service.query("UPDATE known_networks SET seen_at = seen_at - make_interval(secs => %s)", seconds)

    def counted(self):
        """All that is counted, and when it was written."""
        return sorted(self.service.query("SELECT key::text, busy_until, xmin::text FROM rate_limits"))


@pytest.fixture
def site(make):
    return lambda **settings: Site(make, **settings)


def at_once(count, one):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [f.result() for f in [pool.submit(one, i) for i in range(count)]]


# the limits of log-in (N/period = 3/1m)


def test_an_account_from_one_network(site, address):
    site = site(limits__login="3/1m")
    for name in (site.register(address()), "nobody@example.com"):
        assert site.fail_until_refused(name) == (3, 20)
        assert site.log_in(name).status == 429  # the right password neither
        site.pass_time(19)
        assert site.fail_until_refused(name)[0] == 0
        site.pass_time(1)
        assert site.fail_until_refused(name) == (1, 20)
        site.pass_time(60)
        # six are all that there are in an hour, and then one each ten minutes
        count, wait = site.fail_until_refused(name)
        assert count == 2 and 400 < wait <= 520
        site.pass_time(wait)
        assert site.fail(name) == 401 and site.fail(name) == 429


def test_what_is_refused_is_not_counted(site, address):
    """Trying on and on makes it no longer, and writes nothing."""
    site = site(limits__login="3/1m")
    email = site.register(address())
    site.fail_until_refused(email)
    counted = site.counted()
    events = site.service.query("SELECT count(*) FROM events")
    for _ in range(10):
        answer = site.log_in(email)
        assert answer.status == 429 and int(answer.headers["Retry-After"]) <= 20
    assert site.counted() == counted
    assert site.service.query("SELECT count(*) FROM events") == events
    site.pass_time(20)
    assert site.log_in(email).status == 200


def test_whoever_waits_as_told_gets_through(site):
    """By the clock on the wall, once."""
    site = site(limits__login="10/2s")
    for _ in range(2):
        count, wait = site.fail_until_refused("nobody@example.com")
        assert count > 0 and 1 <= wait <= 6
        time.sleep(wait)
        assert site.fail("nobody@example.com") == 401


def test_who_was_not_served_was_not_counted(site, address):
    """503 because of too many hashes at once says nothing of the password."""
    site = site(limits__login="1000/1h", passwords__memory="262144", passwords__passes="3", passwords__slots="1")
    statuses = at_once(24, lambda i: site.fail("nobody@example.com", "192.0.2.1"))
    assert set(statuses) == {401, 503}
    # 2000 in 60 hours: one keeps its key busy for 108 seconds
    failures, = site.service.query("SELECT round(max(busy_until / 1e6 - EXTRACT(epoch FROM now())) / 108) FROM rate_limits")[0]
    assert failures == statuses.count(401)


def test_one_client_locks_nobody_else_out(site, address):
    """Ten tries a minute for two hours from one network: the owner, elsewhere, logs in all the time."""
    site = site(limits__login="10/1m")
    email = site.register(address())
    tried = 0
    for minute in range(120):
        tried += sum(site.fail(email, "198.51.100.7") == 401 for _ in range(10)) if minute % 10 == 0 else 0
        site.pass_time(60)
        if minute % 30 == 0:
            assert site.log_in(email, f"192.0.2.{minute}").status == 200
    assert tried <= 20 + 20 * 2


@pytest.mark.parametrize("network, other, wider, elsewhere", [
    ("192.0.2.{}", "192.0.2.200", "192.0.2.{}", "192.0.3.1"),
    ("2001:db8:7:1::{:x}", "2001:db8:7:2::1", "2001:db8:7:{:x}::1", "2001:db8:8::1")])
def test_networks(site, network, other, wider, elsewhere):
    site = site(limits__login="2/1m")
    single = network if ":" in network else "192.0.2.1"
    count = 0
    while site.fail(f"a{count}@example.com", single.format(count)) == 401:
        count += 1
    assert count == 10  # of one network, whatever the names
    assert site.fail("other@example.com", other) == 401
    site.pass_time(60)
    count = 0
    while site.fail(f"b{count}@example.com", wider.format(count % 200 + 1)) == 401:
        count += 1
    assert count == 50
    assert site.fail("other@example.com", elsewhere) == 401


def test_an_account_from_all_networks(site, address):
    """The owner logs in from where she did before; others wait, whatever their password."""
    site = site(limits__login="2/1m")
    email, home = site.register(address()), "2001:db8:1:2::1"
    for name in (email, "nobody@example.com"):
        if name == email:
            assert site.log_in(name, home).status == 200
        tried = [site.fail(name, f"2001:db8:{n:x}::1") for n in range(100, 121)]
        assert tried == [401] * 20 + [429]
        answer = site.log_in(name, "2001:db8:ffff::1")
        assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 180
    assert site.log_in(email, "2001:db8:1:2:3:4:5:6").status == 200
    # her network has limits of its own all the same
    assert [site.fail(email, home) for _ in range(3)] == [401, 401, 429]
    site.pass_time(180)
    assert site.log_in(email, "2001:db8:ffff::1").status == 200


def test_a_network_is_known_for_thirty_days(site, address):
    site = site(limits__login="1/1m")
    email, home, day = site.register(address()), "192.0.2.1", 86400
    known = "SELECT network::text, round(EXTRACT(epoch FROM now() - seen_at)) FROM known_networks"
    assert site.log_in(email, home).status == 200
    (digest, _), = site.service.query(known)
    assert site.service.query("SELECT count(*) FROM known_networks WHERE network = %s::uuid OR network::text LIKE '%%192%%2%%1'",
                              str(uuid.uuid5(uuid.NAMESPACE_DNS, home))) == [(0,)]
    site.pass_time(day / 2)
    assert site.log_in(email, home).status == 200
    assert site.service.query(known)[0] == (digest, pytest.approx(day / 2, abs=60))  # not written again so soon
    site.pass_time(day)
    assert site.log_in(email, home).status == 200
    assert site.service.query(known)[0] == (digest, pytest.approx(0, abs=60))
    other = site.register(address())
    assert site.log_in(other, home).status == 200
    assert len({row[0] for row in site.service.query(known)}) == 2  # nobody sees who shares a network

    def attacked():
        return [site.fail(email, f"198.51.{n}.1") for n in range(11)]
    assert attacked() == [401] * 10 + [429] and site.log_in(email, home).status == 200
    site.pass_time(31 * day)
    assert attacked() == [401] * 10 + [429] and site.log_in(email, home).status == 429


def test_a_success_gives_its_try_back(site, address):
    site = site(limits__login="2/1m")
    email = site.register(address())
    assert [site.log_in(email).status for _ in range(12)] == [200] * 12
    assert site.counted() == []
    assert site.fail(email) == 401
    assert [site.log_in(email).status for _ in range(5)] == [200] * 5
    assert site.fail(email) == 401
    assert site.fail(email) == 429  # the first failure was not forgiven


def test_a_new_password_that_is_refused_is_no_try(site, address):
    """The present one was not looked at. Whoever is told to choose another is not kept out for that."""
    site = site(limits__login="2/1h", passwords__weak="refuse")
    email = site.register(address(), password="green tea at five")
    login = site.log_in(email, password="green tea at five")

    def change(new):
        body = {"current_password": "green tea at five", "new_password": new}
        return site.post("/api/auth/change-password", body, token=login.json["access_token"]).status
    assert [change("my name is " + email) for _ in range(4)] == [400] * 4
    assert site.counted() == [] and change("black tea at five") == 200


def test_a_right_password_that_opens_no_session_clears_nothing(site, address):
    site = site(limits__login="2/1m", accounts__require_verified="yes")
    email = site.register(address())
    assert [site.log_in(email).status for _ in range(3)] == [403, 403, 429]


def test_one_account_by_whatever_name(site, address):
    """Its e-mail in any case, its username, and the password that is asked again for a change."""
    site = site(limits__login="3/1m")
    email = address()
    name = f"Jane-{uuid.uuid4()}"
    answer = site.post("/api/auth/register/", {"email": email, "username": name, "password": PASSWORD}, host="content.localhost")
    assert answer.status == 201
    access = answer.json["content"]["tokens"]["access"]

    def change(current):
        return site.post("/api/auth/change-password", {"current_password": current, "new_password": "password124"}, token=access)
    assert [change(WRONG).status, site.fail(email.upper()), site.fail(name.lower())] == [400, 401, 401]
    assert (change(PASSWORD).status, site.fail(email), site.fail(name)) == (429, 429, 429)
    site.pass_time(3600)
    assert [change(WRONG).status for _ in range(4)] == [400, 400, 400, 429]
    site.pass_time(20)
    assert change(PASSWORD).status == 200
    assert site.log_in(email, password="password124").status == 200


def test_what_nobody_has_counts_like_what_somebody_has(site, address):
    site = site(limits__login="4/1h")
    names = [site.register(address()), "nobody@example.com"]
    choose, refused = random.Random(7), 0
    for _ in range(60):
        client = f"192.0.{choose.randrange(3)}.{choose.randrange(3)}"
        choose.shuffle(names)
        one, other = (site.log_in(name, client, WRONG) for name in names)
        assert (one.status, one.body) == (other.status, other.body)
        # the machine's time passes too
        assert int(one.headers["Retry-After"] or 0) == pytest.approx(int(other.headers["Retry-After"] or 0), abs=2)
        refused += one.status == 429
        site.pass_time(choose.choice([30, 300, 2000]))
    assert refused > 5


def test_concurrent_tries_are_exactly_as_many(site, address):
    """Over four workers: a try is counted before it is hashed."""
    site = site(limits__login="7/1h", passwords__memory="4096")
    for name in (site.register(address()), "nobody@example.com"):
        statuses = at_once(24, lambda i: site.fail(name))
        assert sorted(statuses) == [401] * 7 + [429] * 17
    site.service.query("DELETE FROM rate_limits")
    statuses = at_once(40, lambda i: site.fail(f"{i}@example.com"))
    assert sorted(statuses) == [401] * 35 + [429] * 5


def test_tries_do_not_wait_for_each_other_in_a_ring(site, address):
    """Few accounts, few networks, all at once, right and wrong: nothing but 200, 401 and 429."""
    site = site(limits__login="500/1m", http__workers="4")
    emails = [site.register(address()) for _ in range(3)]

    def one(i):
        local = random.Random(i)
        return [site.log_in(local.choice(emails), f"192.0.2.{local.randrange(3)}", local.choice([PASSWORD, WRONG])).status
                for _ in range(25)]
    statuses = {status for list_ in at_once(16, one) for status in list_}
    assert statuses <= {200, 401, 429}
    assert not site.service.log_contains("40P01")


def test_register_counts_networks_only(site, address):
    """What is free and what is taken are refused alike, and so nothing is learnt from it."""
    site = site(limits__register="3/1m")
    taken = site.register(address(), "203.0.113.1")

    def statuses(emails):
        return [site.post("/api/auth/register", {"email": e, "password": PASSWORD, "full_name": "J"}).status for e in emails]
    assert statuses([taken] * 4) == [409] * 3 + [429]
    site.pass_time(60)
    assert statuses([address() for _ in range(4)]) == [201] * 3 + [429]


def test_reset_confirm_is_limited_by_network(site, address):
    site = site(limits__reset="2/1m")
    email = site.register(address())
    site.post("/api/auth/password-reset", {"email": email})
    token = site.service.token(email, "password-reset")
    new = {"new_password": "newpassword123", "confirm_password": "newpassword123"}
    guesses = [site.post(f"/api/auth/password-reset/{secrets.token_urlsafe(32)}", new).status for _ in range(11)]
    assert guesses == [400] * 10 + [429]
    assert site.post(f"/api/auth/password-reset/{token}", new).status == 429
    assert site.post(f"/api/auth/password-reset/{token}", new, client="198.51.100.1").status == 200


# the budget of mails


def test_mail_budgets(site, address):
    """Apart for reset and for verification; a network has half; what is over it tells and writes nothing."""
    site = site(limits__mail="4/1h")
    email = site.register(address(), "203.0.113.1")
    known, unknown = site.service, "nobody@example.com"

    def ask(path, client, name=email):
        before = len(site.counted()), site.service.query("SELECT count(*) FROM events")[0][0]
        state = site.counted()
        answer = site.post("/api/auth" + path, {"email": name}, client)
        assert answer.status in (200, 404)
        wrote = site.counted() != state
        assert wrote == (site.service.query("SELECT count(*) FROM events")[0][0] != before[1])
        return wrote, answer.status, answer.body
    for name in (email, unknown):
        answers = [ask("/password-reset", client, name) for client in
                   ["192.0.2.1"] * 3 + ["198.51.100.1"] * 3 + ["2001:db8::1"]]
        assert [a[0] for a in answers] == [True, True, False, True, True, False, False]
        assert len({a[1:] for a in answers}) == 1
    assert known.log_contains(r"mail_budget_spent limit=reset client=192\.0\.2\.1")
    assert email not in known.log()
    # registration sent one already
    assert [ask("/verify/resend", "203.0.113.1")[0] for _ in range(2)] == [True, False]
    assert [ask("/verify/resend", "198.51.100.1")[0] for _ in range(3)] == [True, True, False]
    wait_until(lambda: len(site.service.mails(email, "Set a new password")) == 4 and len(site.service.mails(email, "Confirm")) == 4)
    site.pass_time(900)
    assert ask("/password-reset", "2001:db8::1")[0]


def test_a_provider_s_customer_does_not_use_up_a_budget(site, address):
    """However many networks he has: three quarters are his, and the owner's mail goes out."""
    site = site(limits__mail="8/1h")
    email = site.register(address(), "203.0.113.1")
    for n in range(20):
        assert site.post("/api/auth/password-reset", {"email": email}, f"2001:db8:1:{n:x}::1").status == 200
    wait_until(lambda: len(site.service.mails(email, "Set a new password")) == 6)
    assert site.post("/api/auth/password-reset", {"email": email}, "192.0.2.1").status == 200
    wait_until(lambda: len(site.service.mails(email, "Set a new password")) == 7)


# the functions themselves


class Limits:
    """rate_limits_take() and rate_limits_return() at moments of the test's own."""

    def __init__(self, service, keep=False):
        self.connection = psycopg2.connect(service.cluster.url(service.database))
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        if not keep:
            self.cursor.execute("DELETE FROM rate_limits")

    def take(self, rules, moment, account="a", known=False):
        """rules: (kind, number of the key, allowed, seconds); moment in microseconds."""
        array = "{" + ",".join(f'"({kind},{uuid.UUID(int=key)},{allowed},{seconds})"' for kind, key, allowed, seconds in rules) + "}"
        self.cursor.execute("SELECT wait, spent, taken FROM rate_limits_take(%s, %s, %s, "
                            "timestamptz 'epoch' + %s * interval '1 microsecond')", (array, account, known, moment))
        return self.cursor.fetchone()

    def give_back(self, taken, moment):
        self.cursor.execute("SELECT rate_limits_return(%s, timestamptz 'epoch' + %s * interval '1 microsecond')", (taken, moment))

    def rows(self):
        self.cursor.execute("SELECT count(*) FROM rate_limits")
        return self.cursor.fetchone()[0]


@pytest.fixture
def limits(service):
    limits = Limits(service)
    yield limits
    limits.cursor.execute("DELETE FROM rate_limits")
    limits.connection.close()


NOON = 1_900_000_000 * SECOND


class Model:
    """The same in other words."""

    def __init__(self):
        self.busy = {}

    def take(self, rules, moment, account, known):
        wait, spent, taken = 0, False, []
        for kind, number, allowed, seconds in rules:
            if kind == "stranger" and known:
                continue
            key = (number, account if kind != "network" else "")
            until = max(self.busy.get(key, 0), moment) + seconds * SECOND // allowed
            over = until - moment - seconds * SECOND
            if over > 0 and kind == "budget":
                spent = True
            elif over > 0:
                wait = max(wait, -(-over // SECOND))
            taken.append((key, until, seconds * SECOND // allowed))
        if wait > 0 or spent:
            return wait, spent, None
        self.busy.update({key: until for key, until, _ in taken})
        return 0, False, taken

    def give_back(self, taken, moment):
        for key, until, spacing in taken:
            self.busy[key] -= max(0, min(spacing, until - moment))


def test_the_functions_follow_the_model(limits):
    """Thousands of tries, refused, given back or not, over hours: answer by answer."""
    choose = random.Random(20)
    rules = [("account", 1, 3, 60), ("account", 2, 6, 3600), ("network", 3, 7, 60), ("stranger", 4, 11, 3600), ("budget", 5, 7, 600)]
    model, moment, open_tries = Model(), NOON, []
    refused = spent = given_back = 0
    for _ in range(3000):
        moment += int(choose.expovariate(1 / 8) * SECOND)
        if open_tries and choose.random() < 0.35:
            real, model_one = open_tries.pop(choose.randrange(len(open_tries)))
            limits.give_back(real, moment)
            model.give_back(model_one, moment)
            given_back += 1
            continue
        account, known = choose.choice("ab"), choose.random() < 0.3
        wait, is_spent, taken = limits.take(rules, moment, account, known)
        expected = model.take(rules, moment, account, known)
        assert (wait, is_spent) == expected[:2]
        refused, spent = refused + (wait > 0), spent + is_spent
        if taken:
            open_tries.append((taken, expected[2]))
    assert min(refused, spent, given_back) > 100


def test_successes_are_as_if_they_had_never_been(limits):
    """Of two keys one gets failures only, the other the same failures among many successes."""
    choose, moment = random.Random(3), NOON
    refused = 0
    for _ in range(400):
        moment += choose.randrange(9 * SECOND)
        for _ in range(choose.randrange(4)):
            wait, _, taken = limits.take([("network", 1, 10, 60)], moment)
            if wait == 0:
                limits.give_back(taken, moment)
        answers = [limits.take([("network", key, 10, 60)], moment)[0] for key in (1, 2)]
        assert answers[0] == answers[1]
        refused += answers[0] > 0
    assert refused > 20


def test_retry_after_is_true(limits):
    """Whoever waits so long is not refused, whichever of several limits it was, and a second earlier is."""
    choose = random.Random(5)
    rules = [("account", 1, 7, 60), ("account", 2, 14, 3600), ("network", 3, 9, 60)]
    moment = NOON
    for _ in range(300):
        wait, _, _ = limits.take(rules, moment)
        if wait > 0:
            assert limits.take(rules, moment + (wait - 1) * SECOND)[0] == 1 or wait == 1
            moment += wait * SECOND
            assert limits.take(rules, moment)[0] == 0
        moment += choose.randrange(3 * SECOND)


@pytest.mark.parametrize("allowed, seconds", [(1, 1), (3, 2), (7, 60), (10, 60), (999, 60), (10, 3600), (1000000, 1)])
def test_exactly_as_many_at_once(limits, allowed, seconds):
    """Seven in a minute are seven, though a minute has no seventh."""
    if allowed > 1000:
        assert all(limits.take([("network", 1, allowed, seconds)], NOON)[0] == 0 for _ in range(50))
        return
    assert all(limits.take([("network", 1, allowed, seconds)], NOON)[0] == 0 for _ in range(allowed))
    assert limits.take([("network", 1, allowed, seconds)], NOON)[0] == -(-seconds // allowed)


def test_many_at_once_add_up(service, limits):
    """At one moment eight connections take and give back under keys that they share, most of the time at
    their limits. In the end each key is busy for just the tries that were kept, and there was no deadlock."""
    def work(seed):
        mine, choose, kept = Limits(service, keep=True), random.Random(seed), []
        for _ in range(250):
            if kept and choose.random() < 0.45:
                mine.give_back(kept.pop(choose.randrange(len(kept)))[1], NOON)
                continue
            account, network = choose.choice("abc"), choose.choice([10, 11])
            rules = [("account", 1, 4, 60), ("network", network, 9, 60), ("stranger", 2, 5, 3600), ("network", 20, 12, 60)]
            wait, _, taken = mine.take(rules, NOON, account)
            if taken:
                kept.append(((account, network), taken))
            else:
                refused.append(wait)
        mine.connection.close()
        return kept

    refused = []
    kept = [one for list_ in at_once(8, work) for one in list_]
    assert 6 <= len(kept) <= 12 and len(refused) > 100
    limits.cursor.execute("SELECT busy_until - %s FROM rate_limits", (NOON,))
    busy = sorted(int(row[0]) for row in limits.cursor.fetchall())
    accounts = [sum(names[0] == one for names, _ in kept) for one in "abc"]
    networks = [sum(names[1] == one for names, _ in kept) for one in (10, 11)]
    expected = [n * 15 * SECOND for n in accounts] + [n * 720 * SECOND for n in accounts]
    expected += [n * (60 * SECOND // 9) for n in networks] + [len(kept) * 5 * SECOND]
    assert busy == sorted(n for n in expected if n > 0)
    for _, taken in kept:
        limits.give_back(taken, NOON)
    assert limits.rows() == 0


def test_all_or_nothing(limits):
    """A try that the last limit refuses counts for none of them, nor one that finds a budget spent."""
    for kind in ("network", "budget"):
        rules = [("account", 1, 5, 60), ("network", 2, 5, 60), (kind, 3, 1, 60)]
        assert limits.take(rules, NOON)[:2] == (0, False)
        limits.cursor.execute("SELECT * FROM rate_limits ORDER BY key")
        before = limits.cursor.fetchall()
        assert limits.take(rules, NOON) == ((60, False, None) if kind == "network" else (0, True, None))
        limits.cursor.execute("SELECT * FROM rate_limits ORDER BY key")
        assert limits.cursor.fetchall() == before
        limits.cursor.execute("DELETE FROM rate_limits")


def test_the_clock_is_set(limits):
    """Back by hours: nobody waits for longer than the limit says. Forward: limits end."""
    rules = [("account", 1, 3, 60), ("account", 2, 6, 3600)]
    for back in (2 * 3600, 86400):
        while limits.take(rules, NOON)[0] == 0:
            pass
        assert limits.take(rules, NOON - back * SECOND)[0] == 0
    limits.cursor.execute("DELETE FROM rate_limits")
    while limits.take(rules, NOON)[0] == 0:
        pass
    assert limits.take(rules, NOON + 7200 * SECOND)[0] == 0


def test_a_limit_that_became_smaller(limits):
    """Of 1/1d is left what 1/1m allows at most."""
    assert limits.take([("network", 1, 1, 86400)], NOON)[0] == 0
    assert limits.take([("network", 1, 1, 60)], NOON)[0] == 0
    assert limits.take([("network", 1, 1, 60)], NOON)[0] == 60


def test_what_was_given_back_frees_no_other(limits):
    """A try that ran out while its password was hashed is nothing to give back."""
    rule = [("network", 1, 4, 4)]
    _, _, first = limits.take(rule, NOON)
    for _ in range(4):
        assert limits.take(rule, NOON + 2 * SECOND)[0] == 0
    limits.give_back(first, NOON + 2 * SECOND)
    assert limits.take(rule, NOON + 2 * SECOND)[0] == 1


def test_a_worker_that_died_leaves_one_try(limits):
    rule = [("network", 1, 4, 60)]
    assert limits.take(rule, NOON)[0] == 0  # and nobody gives it back
    for n in range(20):
        _, _, taken = limits.take(rule, NOON)
        limits.give_back(taken, NOON)
    assert [limits.take(rule, NOON)[0] for _ in range(4)] == [0, 0, 0, 15]
    assert limits.take(rule, NOON + 60 * SECOND)[0] == 0


def test_tries_of_other_limits_and_accounts_do_not_mix(limits):
    rules = [("account", 1, 1, 60)]
    assert limits.take(rules, NOON, "a")[0] == 0
    assert limits.take(rules, NOON, "a ")[0] == 0
    assert limits.take(rules, NOON, "")[0] == 0
    assert limits.take([("account", 2, 1, 60)], NOON, "a")[0] == 0
    assert limits.take([("network", 1, 1, 60)], NOON, "a")[0] == 0
    assert limits.take(rules, NOON, "a")[0] == 60
    assert limits.rows() == 5


def test_what_has_run_out_is_purged(make, address):
    """All of it, walk after walk; and nothing that still counts."""
    service, web = make(limits__login="3/1h", log__level="debug")
    email = address()
    web.post("/api/auth/register", {"email": email, "password": PASSWORD, "full_name": "J"})
    assert web.post("/api/auth/login", {"username": email, "password": PASSWORD}).status == 200
    service.stop()
    service.query("""INSERT INTO rate_limits SELECT gen_random_uuid(), EXTRACT(epoch FROM now()) * 1000000
        + CASE WHEN n %% 40 = 0 THEN 3600000000 ELSE -n END FROM generate_series(1, 4000) n""")
    service.query("""INSERT INTO known_networks SELECT pk, gen_random_uuid(), now() - n * interval '1 day'
        FROM users, generate_series(1, 60) n""")
    service.start()
    wait_until(lambda: service.query("SELECT count(*) FROM rate_limits") == [(100,)]
               and service.query("SELECT count(*) FROM known_networks") == [(30,)], timeout=60)
