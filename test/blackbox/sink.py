# SPDX-License-Identifier: MIT
"""A real SMTP server (aiosmtpd) that keeps what it gets, and fails on demand."""
import asyncio
import email
import email.policy
import ssl
import subprocess

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from harness import free_port, wait_until

STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "body", "chunk", "end")
HANG, DRIP = object(), object()


class Dialogue(SMTP):
    """aiosmtpd, but the sink may have planned something else for a stage."""
    greeted = False
    chunks = b""

    async def planned(self, stage):
        """True where the stage has been dealt with: refused, cut off, or left without an answer."""
        plan = self.event_handler.plans.get(stage)
        if not plan:
            return False
        what = plan.pop()
        if what is HANG:
            await asyncio.sleep(60)
        elif what is DRIP:
            for octet in b"2" + b"5" * 300:
                self.transport.write(bytes([octet]))
                await asyncio.sleep(0.2)
        elif what is None:
            self.transport.abort()
        else:
            await super().push(what)
        return True

    async def push(self, status):
        first, self.greeted = not self.greeted, True
        if status is None or first and await self.planned("connect"):
            return
        await super().push(status)
        if status[:3] in ("354", b"354"):
            await self.planned("body")

    async def smtp_EHLO(self, hostname):
        if not await self.planned("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg):
        if not await self.planned("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        if not await self.planned("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):
        if not await self.planned("data"):
            await super().smtp_DATA(arg)

    async def smtp_BDAT(self, arg):
        """RFC 3030, as Postfix and Exim have it by default and aiosmtpd has not: a sink announces CHUNKING."""
        size, _, last = arg.partition(" ")
        self.chunks += await self._reader.readexactly(int(size))
        if not last:
            await self.push("250 2.0.0 OK")
            await self.planned("chunk")
        else:
            self.envelope.content = self.envelope.original_content = self.chunks
            status = await self._call_handler_hook("DATA")
            self.chunks = b""
            self._set_post_data_state()
            await self.push(status)


class Sink:
    """extensions: what EHLO announces beside aiosmtpd's own, such as PIPELINING and CHUNKING; hidden: what it keeps to itself.
    login_required=False takes mail from clients whose log-in failed, as relays do for their own."""

    def __init__(self, tls=None, require_tls=False, credentials=None, login_required=True, extensions=(), hidden=()):
        self.port, self.messages, self.answers, self.plans, self.logins, self.sessions = free_port(), [], {}, {}, [], 0
        self.options = {"tls_context": tls, "require_starttls": require_tls, "enable_SMTPUTF8": True,
                        "auth_required": credentials is not None and login_required, "authenticator": self.authenticate}
        self.credentials, self.extensions, self.hidden, self.controller = credentials, extensions, hidden, None
        self.pause = 0  # seconds before each message is taken
        self.before_taken = None  # is called once in the thread of the sink, before a message is taken
        self.start()

    def factory(self):
        self.sessions += 1
        return Dialogue(self, **self.options)

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self.credentials,
                          handled=False, auth_data=data.login.decode())

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.factory = self.factory
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def fail(self, recipient, answer, times=1):
        """The next mails to a recipient get this answer instead of being taken."""
        self.answers[recipient] = [answer] * times

    def fail_at(self, stage, answer, times=1):
        """A stage of the next dialogues gets this answer: "connect", "ehlo", "mail", "rcpt", "data"
        (instead of 354) or "end" (after the message)."""
        assert stage in STAGES
        self.plans[stage] = [answer] * times

    def drop_at(self, stage, times=1):
        """The connection is cut there; in the middle of a message at "body"."""
        self.fail_at(stage, None, times)

    def hang_at(self, stage, times=1):
        """Nothing is answered any more."""
        self.fail_at(stage, HANG, times)

    def drip_at(self, stage, times=1):
        """An octet now and then, and never a whole line."""
        self.fail_at(stage, DRIP, times)

    def reached(self, stage):
        """Whether the stage of the last plan has been reached."""
        return not self.plans[stage]

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        kept = [r for r in responses[:-1] if r[4:].split(" ")[0] not in self.hidden]
        return kept + ["250-" + e for e in self.extensions] + responses[-1:]

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answers.get(address):
            return self.answers[address].pop()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if await server.planned("end"):
            return None
        await asyncio.sleep(self.pause)
        hook, self.before_taken = self.before_taken, None
        if hook:
            hook()
        self.messages.append({"sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "content": envelope.content,
                              "message": email.message_from_bytes(envelope.content, policy=email.policy.default),
                              "options": envelope.mail_options, "host": session.host_name,
                              "tls": session.ssl is not None, "user": session.auth_data if session.authenticated else None})
        return "250 taken"

    def received(self, recipient):
        return [m for m in self.messages if recipient in m["recipients"]]

    def wait_for(self, recipient, timeout=10):
        """The first message to the recipient."""
        return wait_until(lambda: self.received(recipient), timeout)[0]


def certificate(folder, host):
    """A throw-away authority and a certificate of it for the host: (context of the server, CA file)."""
    name = "IP:" + host if host[0].isdigit() else "DNS:" + host

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=folder, capture_output=True)
    (folder / "ext").write_text(f"subjectAltName={name}\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "req.pem", "-subj", "/CN=" + host)
    openssl("x509", "-req", "-in", "req.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "cert.pem",
            "-days", "2", "-extfile", "ext")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, folder / "ca.pem"
