# SPDX-License-Identifier: MIT
"""Mails that somebody asks for: the answer and its time do not tell who has an account, and strangers write none of them."""
import contextlib
import hashlib
import os
import secrets
import signal

import pytest

from harness import folder, link_of, wait_until
from sink import Sink

PASSWORD = "password123"
EVIL = "Visit www.evil.example"


@contextlib.contextmanager
def courier_halted(service):
    courier = wait_until(lambda: service.children("courier"))[0]
    os.kill(courier, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(courier, signal.SIGCONT)


def register(web, email, name="Jane Doe", status=201):
    answer = web.post("/api/auth/register", {"email": email, "password": PASSWORD, "full_name": name})
    assert answer.status == status, answer
    return answer


def verified(service, web, email, name="Jane Doe"):
    register(web, email, name)
    assert web.get("/api/auth/verify/" + service.token(email, "verify")).status == 200


def confirm(web, token):
    return web.post("/api/auth/password-reset/" + token,
                    {"new_password": "another password", "confirm_password": "another password"}).status


def outbox_empty(service):
    return wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)])


def shape(service, recipient):
    """What a request has written, but for what is random or the recipient."""
    return service.query("""SELECT letter, length(sealed_token), length(token_digest), token_expires_at - created_at,
        requested_from, attempts, claimed_by, last_error FROM outbox WHERE recipient = %s""", recipient)


@pytest.mark.parametrize("letter, path", [("reset", "/password-reset"), ("verify", "/verify/resend")])
def test_a_request_does_the_same_for_every_address(make, address, letter, path):
    service, web = make(api__reveal_unknown_email="never")
    known, unknown = address(), address()
    register(web, known)
    outbox_empty(service)
    counts = "SELECT (SELECT count(*) FROM one_time_tokens), (SELECT count(*) FROM events), (SELECT count(*) FROM users)"
    before = service.query(counts)
    with courier_halted(service):
        answers = [web.post("/api/auth" + path, {"email": email}) for email in (known.upper(), unknown.upper())]
        assert answers[0].status == 200 and answers[0].body == answers[1].body
        assert shape(service, known) == shape(service, unknown) and len(shape(service, known)) == 1
        assert service.query(counts) == before
    outbox_empty(service)
    kind = {"reset": "reset_requested", "verify": "verification_requested"}[letter]
    assert service.query("SELECT user_pk, client FROM events WHERE kind = %s ORDER BY pk", kind) == [
        (service.query("SELECT pk FROM users")[0][0], "127.0.0.1"), (None, "127.0.0.1")]
    assert service.mails(unknown) == [] and len(service.mails(known)) == 2
    assert service.query("SELECT purpose, count(*) FROM one_time_tokens WHERE purpose = %s GROUP BY 1", letter) == [
        (letter, 2 if letter == "verify" else 1)]


def test_a_registration_does_the_same_for_taken_addresses(make, address):
    service, web = make(api__reveal_unknown_email="never")
    taken, new = address(), address()
    verified(service, web, taken)
    outbox_empty(service)
    with courier_halted(service):
        answers = [register(web, email, EVIL) for email in (taken.upper(), new)]
        assert answers[0].body == answers[1].body
        rows = service.query("SELECT letter, length(sealed_token), length(token_digest), token_expires_at - created_at FROM outbox ORDER BY pk")
        assert [row[0] for row in rows] == ["known", "verify"] and rows[0][1:] == rows[1][1:]
    outbox_empty(service)
    mail, = service.mails(taken, "already have an account")
    assert "evil" not in mail.as_string() and "Hello Jane Doe," in mail.as_string()
    assert service.query("SELECT client FROM events JOIN users ON user_pk = users.pk WHERE kind = 'registered_again' AND email = %s", taken) == [
        ("127.0.0.1",)]
    assert service.query("SELECT count(*) FROM one_time_tokens JOIN users ON user_pk = pk WHERE email = %s", taken) == [(1,)]


def test_where_the_description_says_so_an_unknown_email_is_told(nginx, service, address):
    known, unknown = address(), address()
    register(nginx, known)
    assert nginx.post("/api/auth/password-reset", {"email": known}).status == 200
    answer = nginx.post("/api/auth/password-reset", {"email": unknown})
    assert (answer.status, answer.json["code"]) == (404, "email_not_found")
    assert register(nginx, known, status=409).json["code"] == "email_taken"
    service.token(known, "password-reset")
    assert service.mails(unknown) == []


def test_the_last_three_are_valid_however_late_they_are_sent(make, address):
    service, web = make()
    email = address()
    verified(service, web, email)
    with courier_halted(service):
        for _ in range(4):
            assert web.post("/api/auth/password-reset", {"email": email}).status == 200
    wait_until(lambda: len(service.mails(email, "Set a new password")) == 4)
    rows = service.query("SELECT digest FROM one_time_tokens WHERE purpose = 'reset' ORDER BY created_at")
    valid = {bytes(row[0]) for row in rows}
    tokens = [link_of(m).rsplit("/", 1)[1] for m in service.mails(email, "Set a new password")]
    assert [hashlib.sha256(t.encode()).digest() in valid for t in tokens].count(True) == 3
    assert sorted(confirm(web, token) for token in tokens) == [200, 400, 400, 400]


def test_a_reset_voids_those_that_were_asked_for_before_it(make, address):
    """Their mails may not have been sent by then, and their tokens not be known to any account."""
    service, web = make()
    email = address()
    register(web, email)
    web.post("/api/auth/password-reset", {"email": email})
    token = service.token(email, "password-reset")
    with courier_halted(service):
        web.post("/api/auth/password-reset", {"email": email})
        assert confirm(web, token) == 200
    outbox_empty(service)
    assert len(service.mails(email, "Set a new password")) == 1
    assert service.query("SELECT count(*) FROM one_time_tokens WHERE purpose = 'reset'") == [(0,)]
    # one that the courier wrote while the reset was under way, which therefore did not delete it
    late = secrets.token_urlsafe(32)
    service.query("""INSERT INTO one_time_tokens (digest, user_pk, purpose, created_at, expires_at)
        SELECT %s, pk, 'reset', password_changed_at - interval '1 s', now() + interval '1 hour' FROM users""",
                  hashlib.sha256(late.encode()).digest())
    assert confirm(web, late) == 400
    service.query("UPDATE one_time_tokens SET created_at = now() WHERE purpose = 'reset'")
    assert confirm(web, late) == 200


def test_a_token_lives_from_the_request(make, address):
    """A link that has expired is not sent; that is said."""
    service, web = make(links__reset_ttl="1s")
    email = address()
    verified(service, web, email)
    with courier_halted(service):
        web.post("/api/auth/password-reset", {"email": email})
        wait_until(lambda: service.query("SELECT token_expires_at < now() FROM outbox") == [(True,)])
    wait_until(lambda: service.log_contains("mail_failed.*letter=reset.*its link expired before it could be sent"))
    assert service.mails(email, "Set a new password") == []
    assert service.query("SELECT sealed_token FROM outbox WHERE failed_at IS NOT NULL") == [(None,)]


def test_a_mail_that_nobody_needs_any_more_is_not_sent(make, address):
    service, web = make()
    email, other = address(), address()
    register(web, email)
    register(web, other)
    tokens = service.token(email, "verify"), service.token(other, "verify")
    with courier_halted(service):
        for one in (email, other):
            assert web.post("/api/auth/verify/resend", {"email": one}).status == 200
        assert web.get("/api/auth/verify/" + tokens[0]).status == 200
        service.query("UPDATE users SET disabled_at = now() WHERE email = %s", other)
    outbox_empty(service)
    assert len(service.mails(email)) == 1 and len(service.mails(other)) == 1


def test_strangers_do_not_write_our_mails(make, address):
    """Whoever registers somebody else's address chooses nothing of what that gets: not in any mail, nor in any part of it."""
    templates = folder()
    (templates / "verify.txt").write_text("Welcome to {site}\n\nHello{name}!\n\n{link}\n")
    (templates / "reset.html").write_text("<p>Hello{name}!</p><a href=\"{link}\">{link}</a>")
    service, web = make(mail__templates=templates, api__reveal_unknown_email="never")
    email = address()
    answer = web.post("/api/auth/register/", {"email": email, "username": "evil.example", "password": PASSWORD,
                                              "first_name": "www.evil.example", "last_name": "is here"}, host="content.localhost")
    assert answer.status == 201, answer
    web.post("/api/auth/verify/resend", {"email": email})
    web.post("/api/auth/change-password", {"current_password": PASSWORD, "new_password": "another password"},
             token=answer.json["content"]["tokens"]["access"], host="bearer.localhost")
    web.post("/api/auth/password-reset", {"email": email})
    register(web, email, EVIL)
    mails = wait_until(lambda: len(service.mails(email)) == 5 and service.mails(email))
    for mail in mails:
        assert "evil" not in mail.as_string().lower() and mail["To"] == email
        text = mail.get_body(("plain",)).get_content()
        assert "Hello,\n" in text or "Hello!\n" in text
    # what the owner of the address has confirmed may stand in a mail
    assert web.get("/api/auth/verify/" + service.token(email, "verify")).status == 200
    web.post("/api/auth/password-reset", {"email": email})
    mail = wait_until(lambda: len(service.mails(email)) == 6 and service.mails(email))[-1]
    assert "Hello www.evil.example is here," in mail.get_body(("plain",)).get_content()
    assert "<p>Hello www.evil.example is here!</p>" in mail.get_body(("html",)).get_content()


AGAIN = "UPDATE outbox SET failed_at = NULL, first_attempt_at = NULL, next_attempt_at = now() WHERE failed_at IS NOT NULL; NOTIFY latchkey_outbox"


def test_a_mail_that_was_given_up_can_be_sent_again(make, address):
    server = Sink()
    try:
        service, web = make(mail__transport="smtp", mail__url=f"smtp://127.0.0.1:{server.port}", mail__tls="off")
        email = address()
        server.fail(email, "550 mailbox full of spiders")
        register(web, email)
        wait_until(lambda: service.log_contains("mail_failed.*spiders"))
        service.query(AGAIN)
        link = link_of(server.wait_for(email)["message"])
        assert web.get("/api/auth/verify/" + link.rsplit("/", 1)[1]).status == 200
    finally:
        server.stop()


def test_a_mail_that_was_given_up_loses_its_token_when_that_expires(make, address):
    server = Sink()
    try:
        service, web = make(mail__transport="smtp", mail__url=f"smtp://127.0.0.1:{server.port}", mail__tls="off")
        old, young = address(), address()
        for email in (old, young):
            server.fail(email, "550 mailbox full of spiders")
            register(web, email)
        wait_until(lambda: service.query("SELECT count(failed_at), count(sealed_token) FROM outbox") == [(2, 2)])
        service.query("UPDATE outbox SET token_expires_at = now() WHERE recipient = %s", old)
        service.stop()
        service.start()  # the janitor's first look
        wait_until(lambda: service.query("SELECT recipient FROM outbox WHERE sealed_token IS NOT NULL") == [(young,)])
        assert service.query("SELECT count(failed_at) FROM outbox") == [(2,)]
        service.query(AGAIN)
        server.wait_for(young)
        wait_until(lambda: service.log_contains("mail_failed.*its link expired"))
        assert server.received(old) == []
    finally:
        server.stop()
