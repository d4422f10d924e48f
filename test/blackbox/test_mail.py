# SPDX-License-Identifier: MIT
"""Mail is never lost and never slows a request."""
import os
import ssl
import stat
import subprocess
import time
from email import message_from_bytes, policy

import pytest

from harness import Cluster, Service, folder, link_of, memory_of, wait_until
from sink import Sink, certificate


@pytest.fixture
def sink():
    sinks = []

    def make(**options):
        sinks.append(Sink(**options))
        return sinks[-1]
    yield make
    for one in sinks:
        one.stop()


def register(web, email, name="Zoë Doe"):
    answer = web.post("/api/auth/register", {"email": email, "password": "password123", "full_name": name})
    assert answer.status == 201, answer


# The shortest lease: a mail has 4 s, and its lease 10 s.
QUICK = {"mail__timeout": "1s", "database__timeout": "1s"}


def mail_of(octets):
    return message_from_bytes(octets, policy=policy.default)


def courier_of(service):
    return wait_until(lambda: service.children("courier"))[0]


def post(service, count):
    """As many mails at once, without a link, to everyone@example.com and so on: their addresses."""
    service.query("INSERT INTO outbox (letter, recipient) SELECT 'changed', 'mail' || n || '@example.com' FROM generate_series(1, %s) n", count)
    return [f"mail{n}@example.com" for n in range(1, count + 1)]


def smtp(sink, host="127.0.0.1", user="", **more):
    return {"mail__transport": "smtp", "mail__url": f"smtp://{user}{host}:{sink.port}", "mail__tls": "off", "mail__timeout": "2s", **more}


# what mail servers offer: Postfix has the last
OFFERS = [(), ("PIPELINING", "ENHANCEDSTATUSCODES"), ("PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES")]


@pytest.mark.parametrize("extensions", OFFERS)
def test_message(make, sink, address, extensions):
    server = sink(extensions=extensions)
    service, web = make(**smtp(server))
    email = address()
    register(web, email)
    got = wait_until(lambda: server.received(email))[0]
    message = got["message"]
    assert (got["sender"], got["recipients"]) == ("no-reply@example.com", [email])
    assert (message["From"], message["To"]) == ("Test <no-reply@example.com>", email)
    assert message["Message-ID"].endswith("@example.com>") and message["Date"] and message["Auto-Submitted"] == "auto-generated"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert link_of(message).startswith("http://localhost/api/auth/verify/")
    assert web.get("/api/auth/verify/" + link_of(message).rsplit("/", 1)[1]).status == 200
    for line in got["content"].split(b"\r\n"):
        assert len(line) <= 998 and b"\n" not in line and b"\r" not in line
    others = post(service, 30)  # several batches
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])
    assert sorted(m["recipients"][0] for m in server.messages) == sorted([email, *others]) and server.sessions < 10
    assert not service.log_contains("mail_retry")


def test_a_connection_that_is_lost_between_chunks(make, sink, address):
    """The answer to the first chunk says nothing about the message."""
    server = sink(extensions=("PIPELINING", "CHUNKING"))
    service, web = make(**smtp(server))
    server.drop_at("chunk", times=2)
    email = address()
    register(web, email)
    server.wait_for(email)
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])
    assert len(server.received(email)) == 1 and service.log_contains("mail_retry")


def test_server_down_for_a_while(make, sink, address):
    server = sink()
    service, web = make(**smtp(server))
    server.stop()
    emails = [address() for _ in range(30)]
    started = time.monotonic()
    for email in emails:
        register(web, email)
    assert time.monotonic() - started < 15  # nothing waits for the mail server
    wait_until(lambda: service.log_contains("mail_retry"))
    server.start()
    wait_until(lambda: len(server.messages) >= 30, timeout=60)
    time.sleep(1)
    assert sorted(m["recipients"][0] for m in server.messages) == sorted(emails)
    assert service.query("SELECT count(*) FROM outbox") == [(0,)]


def test_later_is_retried_and_never_is_final(make, sink, address):
    server = sink()
    service, web = make(**smtp(server))
    later, never = address(), address()
    server.fail(later, "451 not now", times=1)
    server.fail(never, "550 no such user", times=99)
    register(web, later)
    register(web, never)
    assert wait_until(lambda: server.received(later), timeout=30)
    wait_until(lambda: service.log_contains(r"error courier.* mail_failed .*550 no such user"))
    rows = service.query("SELECT recipient, last_error FROM outbox WHERE failed_at IS NOT NULL")
    assert rows == [(never, "550 no such user")]


def test_starttls_and_authentication(make, sink, address):
    context, ca = certificate(folder(), "127.0.0.1")
    server = sink(tls=context, require_tls=True, credentials=("us er", "p@ss:word"))
    service, web = make(**smtp(server, user="us%20er:p%40ss%3Aword@", mail__ca_file=ca))
    for _ in range(3):  # the library once crashed with its second session
        email = address()
        register(web, email)
        assert wait_until(lambda: server.received(email))[0]["tls"]
    assert server.logins


@pytest.mark.parametrize("fault, reason", [
    ("authority", "certificate is not good"), ("host", "certificate is not good"), ("plain", "does not offer STARTTLS"),
    ("refused", "refused the log-in: 535"), ("no log-in", "offers no log-in")])
def test_nothing_is_sent_to_the_wrong_server(make, sink, address, fault, reason):
    """Not even by a relay that takes mail from anybody: the library goes on after a refused log-in."""
    context, ca = certificate(folder(), "mail.example.com" if fault == "host" else "127.0.0.1")
    server = sink(tls=None if fault == "plain" else context, login_required=False, hidden={"AUTH"} if fault == "no log-in" else (),
                  credentials=("user", "secret"))
    password = "wrong" if fault == "refused" else "secret"
    more = {} if fault == "authority" else {"mail__ca_file": ca}
    service, web = make(**smtp(server, user=f"user:{password}@", **more))
    register(web, address())
    wait_until(lambda: service.log_contains("mail_retry.*" + reason), timeout=20)
    assert server.messages == []
    assert password not in service.log()


@pytest.mark.parametrize("offered", [True, False])
def test_opportunistic_tls_takes_what_there_is(make, sink, address, offered):
    """A relay's own certificate, of nobody and for nobody, is better than plain text (RFC 7435)."""
    context, _ = certificate(folder(), "mail.example.com")
    server = sink(tls=context if offered else None)
    _, web = make(**smtp(server, mail__tls="opportunistic"))
    email = address()
    register(web, email)
    assert server.wait_for(email)["tls"] == offered


@pytest.mark.parametrize("hidden", [set(), {"8BITMIME"}])
def test_all_that_is_sent_is_ascii_in_short_lines(make, sink, address, hidden):
    """To servers that take eight bits too: the next relay may not."""
    server = sink(hidden=hidden)
    service, web = make(**smtp(server, mail__site="Zürich € " + "ü" * 30, mail__from="Zürich <no-reply@example.com>"))
    email = address()
    register(web, email)
    got = server.wait_for(email)
    assert not any(o.startswith("BODY") for o in got["options"])
    for line in got["content"].split(b"\r\n"):
        assert len(line) <= 998 and max(line, default=0) < 0x80
    message = got["message"]
    assert message["Subject"] == "Confirm your email address for Zürich € " + "ü" * 30
    assert message["From"].addresses[0].display_name == "Zürich"
    assert "registered at Zürich €" in message.get_body(("plain",)).get_content().replace("\n", " ")
    assert web.get("/api/auth/verify/" + link_of(message).rsplit("/", 1)[1]).status == 200


@pytest.mark.parametrize("stage, answer", [
    ("connect", "421 not now"), ("ehlo", "421 not now"), ("mail", "550 who are you"), ("data", "451 not now"),
    ("data", "250 the text was never asked for"), ("end", "451 not now")])
def test_a_server_that_is_not_ready_gets_it_later(make, sink, address, stage, answer):
    server = sink()
    service, web = make(**smtp(server))
    server.fail_at(stage, answer)
    email = address()
    register(web, email)
    server.wait_for(email, 30)
    assert service.log_contains("mail_retry")
    assert len(server.received(email)) == 1
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])


def test_a_server_that_takes_chunks_gets_each_mail_once(make, sink, address):
    server = sink(extensions=["CHUNKING"])
    service, web = make(**smtp(server))
    emails = [address() for _ in range(3)]
    for email in emails:
        register(web, email)
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])
    assert sorted(m["recipients"][0] for m in server.messages) == sorted(emails)
    assert not service.log_contains("mail_retry")


@pytest.mark.parametrize("stage", ["connect", "mail", "body", "end"])
def test_a_connection_that_is_lost_or_hangs(make, sink, address, stage):
    server = sink()
    service, web = make(**smtp(server, mail__timeout="1s"))
    server.drop_at(stage)
    email, later = address(), address()
    register(web, email)
    server.wait_for(email, 30)
    server.hang_at(stage)
    register(web, later)
    server.wait_for(later, 30)
    assert len(server.received(email)) == 1 and len(server.received(later)) == 1


def mail_program(*lines):
    """A folder, and a program in it that does this with a mail."""
    place = folder()
    place.chmod(0o777)
    program = place / "sendmail"
    program.write_text("\n".join(["#!/bin/sh", f"cd {place}", *lines]) + "\n")
    program.chmod(0o755)
    return place, {"mail__transport": "sendmail", "mail__sendmail": program}


def test_sendmail(make, address):
    place, settings = mail_program('echo "$@" > arguments', "cat > $$.new && mv $$.new $$.mail")
    service, web = make(**settings)
    email = address()
    register(web, email)
    path = wait_until(lambda: list(place.glob("*.mail")))[0]
    text = path.read_text()
    assert f"To: {email}\n" in text and "\r" not in text
    assert (place / "arguments").read_text().strip() == "-t -i -f no-reply@example.com"


def test_sendmail_that_hangs_is_killed_with_what_it_runs(make, address):
    """Postfix's sendmail waits in postdrop, which outlived it."""
    place, settings = mail_program("sleep 300 & echo $$ $! > pids.new", "mv pids.new pids", "cat > /dev/null", "wait")
    service, web = make(**settings, mail__timeout="1s")
    register(web, address())
    pids = wait_until(lambda: (place / "pids").exists() and (place / "pids").read_text()).split()
    wait_until(lambda: service.log_contains("mail_retry.*took longer than mail.timeout and was killed"))
    gone = {pid: wait_until(lambda: not os.path.exists(f"/proc/{pid}") or "Z" in open(f"/proc/{pid}/stat").read()) for pid in pids}
    assert len(gone) == 2


def test_what_sendmail_says_is_logged(make, address):
    place, settings = mail_program("printf 'warning: \\033[31mmaildrop\\nPermission denied' >&2", "head -c 999999 /dev/zero >&2", "exit 75")
    service, web = make(**settings)
    register(web, address())
    line = wait_until(lambda: service.log_contains("mail_retry.*"))[0]
    assert 'warning:  [31mmaildrop Permission denied"' in line and len(line) < 500
    assert "the program did not read the whole message" in line or "status 75" in line


def test_sendmail_that_reads_nothing_has_not_sent_it(make, address):
    """A mail of more than a pipe holds; success all the same."""
    templates = folder()
    (templates / "verify.txt").write_text("Welcome\n\n{link}\n" + "text\n" * 13000)
    place, settings = mail_program("exec 0<&-", "sleep 0.2", "exit 0")
    service, web = make(**settings, mail__templates=templates)
    register(web, address())
    wait_until(lambda: service.log_contains("mail_retry.*did not read the whole message"))
    assert service.query("SELECT count(*) FROM outbox") == [(1,)]


def test_no_transaction_is_open_while_mail_is_sent(make, sink, address):
    server = sink()
    service, web = make(**smtp(server, mail__timeout="3s"))
    server.hang_at("data")
    email = address()
    register(web, email)
    wait_until(lambda: server.reached("data"))
    assert service.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start < now()") == [(0,)]
    assert service.query("SELECT claimed_until > now() + interval '10 s' FROM outbox") == [(True,)]
    server.wait_for(email, 20)


@pytest.mark.parametrize("stage", ["connect", "body"])
def test_courier_killed_while_it_sends(make, sink, address, stage):
    """Its mails come due when the lease has ended, and arrive once: the server had not taken them."""
    server = sink()
    service, web = make(**smtp(server, **QUICK))
    server.hang_at(stage)
    emails = [address() for _ in range(3)]
    for email in emails:
        register(web, email)
    wait_until(lambda: server.reached(stage))
    service.kill(courier_of(service))
    wait_until(lambda: {m["recipients"][0] for m in server.messages} == set(emails), timeout=30)
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])
    assert len(server.messages) == 3 and service.log_contains("warning courier.* mail_abandoned")


def test_courier_killed_again_and_again(make, sink, address):
    server = sink()
    service, web = make(**smtp(server, **QUICK))
    server.stop()
    emails = [address() for _ in range(10)]
    for email in emails:
        register(web, email)
    server.start()
    for _ in range(5):
        service.kill(courier_of(service))
        time.sleep(0.3)
    wait_until(lambda: {m["recipients"][0] for m in server.messages} == set(emails), timeout=60)


def test_two_couriers_and_a_slow_server(make, sink):
    """One batch takes longer than a lease, which is renewed: each mail arrives once."""
    server = sink()
    service, _ = make(**smtp(server, **QUICK))
    server.pause = 0.55
    second = subprocess.Popen(service.argv("serve", "-o", f"http.listen={service.dir}/second"), env=service.environment)
    try:
        wait_until(lambda: os.path.exists(f"{service.dir}/second"))
        emails = post(service, 40)
        wait_until(lambda: len(server.messages) >= 40, timeout=60)
        wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])
        assert sorted(m["recipients"][0] for m in server.messages) == sorted(emails)
        assert server.sessions >= 2 and not service.log_contains("mail_lease_lost|mail_abandoned")
    finally:
        second.terminate()
        second.wait(timeout=20)


def test_a_courier_that_is_asked_to_stop_gives_back_what_it_has_not_begun(make, sink):
    server = sink()
    service, _ = make(**smtp(server))
    server.pause = 0.3
    emails = post(service, 20)
    wait_until(lambda: server.messages)
    service.stop()
    began = time.monotonic()
    left, = service.query("SELECT count(*), count(claimed_until) FROM outbox")
    assert left[0] + len(server.messages) == 20 and left[0] > 10 and left[1] == 0
    server.pause = 0
    service.start()
    wait_until(lambda: len(server.messages) >= 20)
    assert time.monotonic() - began < 6  # no lease is waited for
    assert sorted(m["recipients"][0] for m in server.messages) == sorted(emails)


def test_postgresql_restarts_between_sending_and_writing_that_down(sink):
    if os.environ.get("LATCHKEY_TEST_DATABASE_URL"):
        pytest.skip("a given server is not ours to stop")
    cluster = Cluster()
    server = sink()
    service = Service(cluster, **smtp(server))
    try:
        server.pause = 0.3
        server.before_taken = cluster.stop
        service.expect("statement_failed", None)
        emails = post(service, 4)
        wait_until(lambda: len(server.messages) >= 4)  # those of the batch are sent all the same
        cluster.start()
        wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)], timeout=20)
        assert [m["recipients"][0] for m in server.messages] == emails
    finally:
        service.close()
        cluster.close()


def test_a_server_that_drips_is_given_up(make, sink, address):
    """An octet now and then keeps every time-out from passing; a mail has a deadline too."""
    server = sink()
    service, web = make(**smtp(server, **QUICK))
    server.drip_at("ehlo")
    courier = courier_of(service)
    email = address()
    register(web, email)
    wait_until(lambda: service.log_contains("mail_retry.*took longer than"), timeout=20)
    server.wait_for(email, 20)
    assert courier_of(service) == courier and len(server.received(email)) == 1


def test_mail_is_given_up_in_the_end_and_loudly(make, sink, address):
    server = sink()
    service, web = make(**smtp(server, mail__give_up="60s"))
    server.stop()
    email = address()
    register(web, email)
    wait_until(lambda: service.log_contains(r"mail_retry .*in=2s reason=.*refused"))
    # it lies for long before the first try: that does not count
    assert service.query("UPDATE outbox SET created_at = now() - interval '1 day' RETURNING 1") == [(1,)]
    wait_until(lambda: service.query("SELECT attempts FROM outbox") >= [(2,)], timeout=20)
    assert not service.log_contains("mail_failed")
    service.query("UPDATE outbox SET first_attempt_at = now() - interval '40 s', next_attempt_at = now(); NOTIFY latchkey_outbox")
    wait_until(lambda: service.log_contains(r"mail_retry .*in=1\ds"))
    service.query("UPDATE outbox SET first_attempt_at = now() - interval '61 s', next_attempt_at = now(); NOTIFY latchkey_outbox")
    wait_until(lambda: service.log_contains(r"error courier.* mail_failed .*letter=verify attempts=\d+ reason=.*refused"))
    assert service.query("SELECT failed_at IS NOT NULL, position('refused' in last_error) > 0, claimed_until FROM outbox") == [(True, True, None)]


def test_tls_is_required_without_credentials_too(make, sink, address):
    server = sink()
    service, web = make(**smtp(server, mail__tls="required"))
    register(web, address())
    wait_until(lambda: service.log_contains("mail_retry.*does not offer STARTTLS, which is required"))
    assert server.messages == []


def test_tls_can_be_off(make, sink, address):
    context, _ = certificate(folder(), "mail.example.com")
    server = sink(tls=context)
    service, web = make(**smtp(server, mail__tls="off"))
    email = address()
    register(web, email)
    assert not server.wait_for(email)["tls"]


@pytest.mark.parametrize("extensions", OFFERS)
def test_a_relay_that_does_not_take_our_mail_loses_none(make, sink, address, extensions):
    """5.7.1 speaks of the settings until a mail was taken, and of the recipient afterwards."""
    server = sink(extensions=extensions)
    service, web = make(**smtp(server))
    first, second = address(), address()
    server.fail(first, "554 5.7.1 Relay access denied", times=2)
    server.fail(second, "554 5.7.1 You are not welcome", times=1)
    register(web, first)
    wait_until(lambda: service.log_contains("error courier.* mail_not_permitted .*mail.url.*554 5.7.1 Relay access denied"))
    server.wait_for(first, 20)
    register(web, second)
    wait_until(lambda: service.log_contains("mail_failed .*554 5.7.1 You are not welcome"))
    assert server.received(second) == []


def test_tls_where_the_home_is_closed(make, sink, address):
    """The mail library looks below HOME, which sudo and spawn-fcgi leave as that of root."""
    context, ca = certificate(folder(), "127.0.0.1")
    server = sink(tls=context, require_tls=True)
    service, web = make(**smtp(server, mail__tls="required", mail__ca_file=ca))
    service.stop()
    home = folder()
    home.chmod(0)
    service.more_environment = {"HOME": str(home), "XDG_CONFIG_DIR": str(home)}
    service.start()
    email = address()
    register(web, email)
    assert server.wait_for(email)["tls"]


def test_what_tls_failed_of_is_said(make, sink, address):
    context, ca = certificate(folder(), "127.0.0.1")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    server = sink(tls=context, require_tls=True)
    service, web = make(**smtp(server, mail__tls="required", mail__ca_file=ca))
    register(web, address())
    wait_until(lambda: service.log_contains("mail_retry.*TLS with the mail server failed: "))


def test_the_database_never_holds_a_token_that_works(make, sink, address):
    server = sink()
    service, web = make(**smtp(server))
    server.stop()
    email = address()
    register(web, email)
    dump = str(service.query("SELECT * FROM outbox")) + str(service.query("SELECT * FROM one_time_tokens"))
    server.start()
    token = link_of(wait_until(lambda: server.received(email), timeout=30)[0]["message"]).rsplit("/", 1)[1]
    assert token not in dump and token not in service.log()


@pytest.mark.skipif(os.getuid() != 0, reason="reads another process's memory")
@pytest.mark.parametrize("transport", ["smtp", "tls", "sendmail", "directory"])
def test_no_process_keeps_a_token_that_was_sent(make, sink, address, transport):
    context, ca = certificate(folder(), "127.0.0.1")
    server = sink(tls=context if transport == "tls" else None)
    place, settings = mail_program("cat > new && mv new mail")
    if transport in ("smtp", "tls"):
        settings = smtp(server, mail__tls="required" if transport == "tls" else "off", mail__ca_file=ca)
    service, web = make(**({} if transport == "directory" else settings))
    email = address()
    register(web, email)
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])
    message = (server.received(email)[0]["message"] if server.messages else service.mails(email)[0] if transport == "directory"
               else mail_of((place / "mail").read_bytes()))
    token = link_of(message).rsplit("/", 1)[1].encode()
    assert len(token) == 43
    wait_until(lambda: not any(token in part for child in service.children() for part in memory_of(child)))


def test_port_465_is_explained(make):
    service, _ = make()
    run = service.command("config", "-o", "mail.transport=smtp", "-o", "mail.url=smtp://mail.example.com:465")
    assert run.returncode == 78 and "587" in run.stderr


def test_mail_folder_holds_whole_files(service, nginx, address):
    email = address()
    register(nginx, email)
    service.token(email, "verify")
    assert not list((service.dir / "mail").glob("*.new"))
    assert stat.S_ISREG(next((service.dir / "mail").glob("*.eml")).stat().st_mode)


def test_mail_files_are_for_the_service_alone(service, nginx, address):
    email = address()
    register(nginx, email)
    service.token(email, "verify")
    assert {stat.S_IMODE(p.stat().st_mode) for p in (service.dir / "mail").glob("*.eml")} == {0o600}


def test_mail_is_not_written_through_a_link_of_somebody_else(make, sink, address):
    """Neither where the message is written first, nor where it is then."""
    server = sink()
    service, web = make(**smtp(server))
    server.fail_at("mail", "451 not now", times=2)
    email, other = address(), address()
    register(web, email)
    register(web, other)
    wait_until(lambda: service.log_contains("mail_retry"))
    service.stop()
    ids = dict(service.query("SELECT recipient, id FROM outbox"))
    victims = [service.dir / "log" / name for name in ("one", "two")]
    for path in victims:
        path.write_text("mine")
        path.chmod(0o666)
    (service.dir / "mail" / f"{ids[email]}.eml.new").symlink_to(victims[0])
    (service.dir / "mail" / f"{ids[other]}.eml").symlink_to(victims[1])
    service.settings["mail.transport"] = "directory"
    service.query("UPDATE outbox SET next_attempt_at = now()")
    service.write()
    service.start()
    assert service.token(email, "verify")
    wait_until(lambda: service.log_contains(r"mail_retry.*\.eml is there, and is no file"))
    assert [path.read_text() for path in victims] == ["mine", "mine"]
    assert not (service.dir / "mail" / f"{ids[email]}.eml").is_symlink()
