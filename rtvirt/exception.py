# SPDX-License-Identifier: Apache-2.0
"""Every error rtvirt raises.

An exception means "cannot answer"; a :class:`~rtvirt.model.finding.Finding`
means "the answer is no"::

    RTVirtError
    +-- ModelError              a value breaks an invariant of the model
    |   +-- CPUSetError         a text or an id is no set of CPUs
    +-- ExtraSpecError          the flavor or the image asks for nonsense
    |   +-- InvalidExtraSpec        a value is outside its allowed values
    |   +-- ConflictingExtraSpecs   two keys contradict each other
    |   +-- UnsupportedExtraSpec    an unknown key, or one rtvirt cannot serve
    +-- FitError                a sound request that this host cannot serve
    +-- DomainXMLError          a document is not the XML it should be
    +-- HostError               the host or its libvirt could not be read
    +-- PluginError             a plug-in is broken, missing or in conflict
    +-- ConfigError             an option or a command line is wrong
    +-- InputError              a file that was named is of no use
    +-- LatencyFormatError      a text is no result of a latency tool
    +-- MeasureError            a measurement could not be made
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtvirt.model.reason import FitReason


class RTVirtError(Exception):
    """The root of the tree.

    :ivar message: one sentence that names what is wrong.
    :ivar hint: what to do about it; an empty string only where a class
        says that its errors may be without.
    """

    code: ClassVar[str] = 'error'
    """A stable slug that programs may compare."""

    def __init__(self, message: str, *, hint: str = '') -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # So that errors cross processes: Exception's own way would call
        # the class with the message alone, and most here demand more.
        return _restore, (type(self), self.message), vars(self)


def _restore(kind: type[RTVirtError], message: str) -> RTVirtError:
    return kind.__new__(kind, message)


class ModelError(RTVirtError, ValueError):
    """A value breaks an invariant of the model it was meant for.

    It may be without a hint: the message says what was expected, and to
    give that is the way out. Who read the value from a file or an option
    adds where it stands.

    :ivar path: where in plain data it stands, as in ``Plan.cells[0].pins``;
        empty where no plain data was read.
    """

    code = 'model'

    def __init__(
        self, message: str, *, path: str = '', hint: str = ''
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path


class CPUSetError(ModelError):
    """A text or an id does not describe a set of CPUs.

    It may be without a hint, as any :class:`ModelError`.

    :ivar text: what was given, shortened where it was no text.
    :ivar position: offset into ``text`` of the first wrong character.
    """

    code = 'cpuset'

    def __init__(
        self, message: str, *, text: str, position: int = 0, hint: str = ''
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.position = position


class ExtraSpecError(RTVirtError):
    """A flavor extra spec or an image property is wrong.

    :ivar key: the extra spec or image property.
    :ivar value: its value as given.
    :ivar expected: what would have been accepted.
    """

    code = 'extra-spec'

    def __init__(
        self,
        message: str,
        *,
        key: str,
        value: object = None,
        expected: str = '',
        hint: str = '',
    ) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.value = value
        self.expected = expected


class InvalidExtraSpec(ExtraSpecError):
    """A value is outside the allowed values of its key."""

    code = 'extra-spec-invalid'


class ConflictingExtraSpecs(ExtraSpecError):
    """Two or more keys contradict each other.

    :ivar keys: all keys that take part; ``key`` is the first of them.
    """

    code = 'extra-spec-conflict'

    def __init__(
        self,
        message: str,
        *,
        keys: Iterable[str],
        value: object = None,
        expected: str = '',
        hint: str = '',
    ) -> None:
        self.keys = tuple(keys)
        super().__init__(
            message,
            key=self.keys[0],
            value=value,
            expected=expected,
            hint=hint,
        )


class UnsupportedExtraSpec(ExtraSpecError):
    """A key is unknown, or asks for something rtvirt cannot serve."""

    code = 'extra-spec-unsupported'


class FitError(RTVirtError):
    """A sound request that this host cannot serve.

    :param reasons: read when first asked for, so that one who only counts
        refusals does not pay for the sentences.
    """

    code = 'fit'

    def __init__(
        self, message: str, *, reasons: Iterable[FitReason], hint: str = ''
    ) -> None:
        super().__init__(message, hint=hint)
        self._reasons = reasons

    @property
    def reasons(self) -> tuple[FitReason, ...]:
        """Why, for every guest cell and host cell."""
        if not isinstance(self._reasons, tuple):
            self._reasons = tuple(self._reasons)
        return self._reasons

    def __reduce__(self) -> tuple[Any, ...]:
        self._reasons = self.reasons
        return super().__reduce__()


class DomainXMLError(RTVirtError):
    """A document is not the XML it should be."""

    code = 'domain-xml'


class HostError(RTVirtError):
    """The host, or the libvirt on it, could not be read."""

    code = 'host'


class PluginError(RTVirtError):
    """A plug-in is broken, missing or in conflict with another.

    :ivar namespace: the stevedore namespace.
    :ivar name: the entry point's name.
    :ivar distribution: who ships it, or an empty string where unknown.
    """

    code = 'plugin'

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        name: str,
        distribution: str = '',
        hint: str = '',
    ) -> None:
        super().__init__(message, hint=hint)
        self.namespace = namespace
        self.name = name
        self.distribution = distribution


class ConfigError(RTVirtError):
    """An option or a command line is wrong."""

    code = 'config'


class InputError(RTVirtError):
    """A file cannot be read, or does not hold what it should.

    :ivar path: the file as it was named; ``-`` is standard input.
    """

    code = 'input'

    def __init__(self, message: str, *, path: str, hint: str = '') -> None:
        super().__init__(message, hint=hint)
        self.path = path


class LatencyFormatError(RTVirtError):
    """A text is not what a latency tool prints, or not all of it.

    :ivar line: number of the first wrong line, from 1; one past the last
        where the text ends too early.
    :ivar tool: whose format it was taken for; empty where for none.
    """

    code = 'latency-format'

    def __init__(
        self, message: str, *, line: int, tool: str = '', hint: str = ''
    ) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.tool = tool


class MeasureError(RTVirtError):
    """A measurement could not be made, or has measured nothing."""

    code = 'measure'
