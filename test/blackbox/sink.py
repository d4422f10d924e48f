# SPDX-License-Identifier: MIT
"""A real SMTP server (aiosmtpd) that keeps what it gets, and fails on demand."""
import email
import email.policy
import ssl
import subprocess

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from harness import free_port


class Sink:
    def __init__(self, tls=None, require_tls=False, credentials=None):
        self.port, self.messages, self.answers, self.logins = free_port(), [], {}, []
        self.options = {"tls_context": tls, "require_starttls": require_tls, "enable_SMTPUTF8": True,
                        "auth_required": credentials is not None, "authenticator": self.authenticate}
        self.credentials, self.controller = credentials, None
        self.start()

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self.credentials)

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **self.options)
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def fail(self, recipient, answer, times=1):
        """The next mails to a recipient get this answer instead of being taken."""
        self.answers[recipient] = [answer] * times

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answers.get(address):
            return self.answers[address].pop()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.messages.append({"sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "content": envelope.content,
                              "message": email.message_from_bytes(envelope.content, policy=email.policy.default),
                              "tls": session.ssl is not None})
        return "250 taken"

    def received(self, recipient):
        return [m for m in self.messages if recipient in m["recipients"]]


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
