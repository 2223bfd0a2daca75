# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the unit tests of programs that use rtvirt.

Nothing here needs root, libvirt, nova or a real-time kernel. In a test case
of the ``fixtures`` or ``testtools`` family::

    class TestScheduler(testtools.TestCase):
        def test_guests_keep_apart(self):
            host = self.useFixture(FakeHost())
            one = host.place(realtime_flavor(vcpus=2))
            other = host.place(realtime_flavor(vcpus=2))
            self.assertFalse(one.claimed & other.claimed)

Every fixture is a context manager too:

>>> with FakeHost(edge_host(dedicated='2-5')) as host:
...     plan = host.place(realtime_flavor(), name='plc-1')
...     print(plan.claimed, 'taken,', host.free or 'none', 'free')
...     host.remove('plc-1')
...     print(host.free, 'free')
2-5 taken, none free
2-5 free

:class:`FakeHost` is for plans, :class:`FakeLibvirt` for what a program does
with a libvirt. A test for pytest imports nothing: see
:mod:`rtvirt.pytest_plugin`.
"""

try:
    import fixtures as _fixtures  # noqa: F401 - the others need it
except ImportError as error:
    raise ImportError(
        'rtvirt.testing needs fixtures: pip install rtvirt[testing]'
    ) from error

from rtvirt.testing.capabilities import capabilities_xml
from rtvirt.testing.connection import FakeConnection
from rtvirt.testing.document import DomainFile
from rtvirt.testing.document import assert_same_domain
from rtvirt.testing.domain import FakeDomain
from rtvirt.testing.fake_libvirt import FakeLibvirt
from rtvirt.testing.host import FakeHost
from rtvirt.testing.sample import edge_host
from rtvirt.testing.sample import nps4_host
from rtvirt.testing.sample import realtime_flavor

__all__ = [
    'realtime_flavor',
    'edge_host',
    'nps4_host',
    'capabilities_xml',
    'FakeHost',
    'FakeLibvirt',
    'FakeConnection',
    'FakeDomain',
    'DomainFile',
    'assert_same_domain',
]
