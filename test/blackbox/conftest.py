# SPDX-License-Identifier: MIT
import itertools

import guard

guard.enter()  # before anything is started, or any file made

import pytest  # noqa: E402

import faults  # noqa: E402
from harness import Apache, Cluster, Nginx, Service  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What a service had to complain of meanwhile fails the test, whatever it asserts itself."""
    report = (yield).get_result()
    found = faults.new()
    if found and report.passed:
        report.outcome, report.longrepr = "failed", found
    elif found:
        report.sections.append(("faults", found))


@pytest.fixture(scope="session")
def cluster():
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def service(cluster):
    """The service that most tests share: limits off, hashes cheap."""
    service = Service(cluster)
    yield service
    service.close()


@pytest.fixture(scope="session")
def nginx(service):
    nginx = Nginx(service)
    yield nginx
    nginx.close()


@pytest.fixture(scope="session", params=[Nginx, Apache], ids=["nginx", "apache"])
def web(request, service):
    """Both web servers in front of the shared service."""
    server = request.param(service)
    yield server
    server.close()


@pytest.fixture
def make(cluster):
    """make(section__key=value, …): a service of the test's own and the nginx before it."""
    made = []

    def make(**settings):
        service = Service(cluster, **settings)
        made.append(service)
        nginx = Nginx(service)
        made.append(nginx)
        return service, nginx

    yield make
    for one in reversed(made):
        one.close()


numbers = itertools.count(1)


@pytest.fixture
def address():
    """address(): an e-mail that nobody has."""
    return lambda: f"user{next(numbers)}@example.com"
