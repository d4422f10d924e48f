# SPDX-License-Identifier: MIT
"""Which new passwords are refused, in every operation that takes one, and that refusing tells nothing."""
import pytest

from harness import ROOT, Nginx, Service
from test_dialects import SPELLINGS, Speaker
from test_rules import log_in, register

GOOD = "correct horse battery"


def listed():
    lines = (ROOT / "src" / "passwords" / "common.txt").read_text().splitlines()
    return [line for line in lines if line != "#" and not line.startswith("# ")]


@pytest.fixture(scope="module")
def strict(cluster):
    """A service with the default that the others do without."""
    service = Service(cluster, passwords__weak="refuse", mail__site="Käse Example-Shop",
                      api__base_url="https://accounts.latchkey-demo.co.uk/api/auth")
    nginx = Nginx(service)
    yield service, nginx
    nginx.close()
    service.close()


def test_refused_by_default(strict):
    service, _ = strict
    assert "\n;weak = refuse\n" in service.command("config", "--sample").stdout


@pytest.mark.parametrize("name", SPELLINGS)
def test_weak_passwords_are_not_set_by_a_reset(strict, address, name):
    service, web = strict
    speaker, email = Speaker(name, web), f"reset-{name}@example.com"
    path, key = speaker.reset
    assert speaker.call("POST", speaker.register, {**speaker.registration(email), "username": f"by-name-{name}", "password": GOOD}).status == 201
    assert speaker.call("POST", speaker.forgot, {"email": email}).status == 200
    token = service.token(email, "password-reset")

    def reset(password, token=token):
        body = {key: password, **({"token": token} if name == "nested" else {}), **({"confirm_password": password} if name == "bearer" else {})}
        return speaker.call("POST", path.format(token), body)

    for password, reason in {"password123": "too common", f"my RESET-{name}": "email address", f"xBY-NAME-{name}": "username",
                             "example-shop!": "name of this site"}.items():
        answer = reset(password)
        fields = answer.json.get("errors", answer.json)
        assert (answer.status, answer.json["code"]) == (400, "invalid_input") and reason in fields[key][0], password
    # without the token nothing is told of the account
    assert reset(f"my RESET-{name}", "A" * 43).json["code"] == "invalid_token"
    assert speaker.do_login(email, GOOD).status == 200
    # the token is still good for a better one
    assert reset("correct horse battery staple").status == 200
    assert reset(f"my RESET-{name}").json["code"] == "invalid_token"
    assert speaker.do_login(email, "correct horse battery staple").status == 200


@pytest.mark.parametrize("name", SPELLINGS)
def test_weak_passwords_are_not_changed_to(strict, name):
    service, web = strict
    speaker, email = Speaker(name, web), f"change-{name}@example.com"
    assert speaker.call("POST", speaker.register, {**speaker.registration(email), "username": f"name-{name}", "password": GOOD}).status == 201
    access, _ = speaker.tokens(speaker.do_login(email, GOOD))

    def change(password, current=GOOD):
        return speaker.call("POST", "/change-password", {"current_password": current, "new_password": password}, token=access)

    for password, reason in {"password123": "too common", f"my CHANGE-{name}": "email address", f"xNAME-{name}": "username",
                             "example-shop!": "name of this site"}.items():
        answer = change(password)
        fields = answer.json.get("errors", answer.json)
        assert (answer.status, answer.json["code"]) == (400, "invalid_input") and reason in fields["new_password"][0], password
    assert change("correct horse battery staple", "wrong password").json["code"] == "incorrect_password"
    assert speaker.do_login(email, GOOD).status == 200
    assert change("correct horse battery staple").status == 200
    assert speaker.do_login(email, "correct horse battery staple").status == 200


@pytest.mark.parametrize("name", SPELLINGS)
def test_weak_passwords_are_not_registered(strict, address, name):
    service, web = strict
    speaker, email = Speaker(name, web), "jane.doe@example.com"
    weak = {"password": "too common", "PassWord123": "too common", "qwertyuiop": "too common", "my Jane.DOE password": "email address",
            "jane.doe@example.com": "email address", "J4n3-doe is here": "username", "i like example-SHOP": "name of this site",
            "käsebrot 2026": "name of this site", "Latchkey-Demo1": "name of this site"}
    for password, reason in weak.items():
        answer = speaker.call("POST", speaker.register, {**speaker.registration(email), "username": "j4n3-doe", "password": password})
        fields = answer.json.get("errors", answer.json)
        assert (answer.status, answer.json["code"]) == (400, "invalid_input"), password
        assert [key for key in fields if isinstance(fields[key], list)] == ["password"] and reason in fields["password"][0]
    assert service.query("SELECT count(*) FROM users WHERE email = %s", email) == [(0,)]
    # what only looks like it is taken
    for password in ("jane doe 2026", "accounts and uk", "passwort123 zwei", "user@ exam ple"):
        mail = address()
        body = {**speaker.registration(mail), "username": mail.split("@")[0], "password": password}
        assert speaker.call("POST", speaker.register, body).status == 201, password


def test_every_common_one_is_refused(strict):
    """Those that are built in, and there are 3,000 at least; refused before a hash and without a row."""
    service, web = strict
    passwords = listed()
    assert len(passwords) >= 3000 and min(map(len, passwords)) >= 8
    for password in passwords[::60] + passwords[-1:]:
        answer = register(web, "x@example.com", password=password.upper())
        assert answer.status == 400 and "too common" in answer.json["errors"]["password"][0], password


def test_a_weak_password_does_not_tell_who_has_an_account(strict):
    service, web = strict
    assert register(web, "taken-one@example.com", password=GOOD).status == 201
    for password in ("password123", "{} is mine"):
        known, unknown = (register(web, f"{name}@example.com", password=password.format(name)) for name in ("taken-one", "other-one"))
        assert (known.status, known.body) == (unknown.status, unknown.body) and known.status == 400


def test_the_list_of_the_site(make, address):
    service, web = make(passwords__weak="allow")
    path = service.dir / "list"
    for content in (b"zebra stripes\r\nPASSWORD123\r\n\r\nApfelmus\xc3\xa4\r\n", b"Apfelmus\xc3\xa4\npassword123\nzebra stripes"):
        path.write_bytes(content)
        service.settings["passwords.blocklist"] = str(path)
        service.write()
        service.stop()
        service.start()
        for password in ("PassWord123", "ZEBRA stripes", "apfelmusä"):
            answer = register(web, address(), password=password)
            assert answer.status == 400 and "too common" in answer.json["errors"]["password"][0], password
        for password in ("password1234", "zebra stripes\r", "zebra"):
            answer = register(web, address(), password=password)
            assert "too common" not in answer.body.decode(), password


def test_weak_ones_where_they_are_allowed(nginx, address):
    email = address()
    assert register(nginx, email, password="password123").status == 201
    assert register(nginx, "janedoe@example.com", password="janedoe localhost").status == 201
    assert register(nginx, address(), password="short").status == 400
    assert log_in(nginx, email, "password123").status == 200
