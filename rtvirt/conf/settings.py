# SPDX-License-Identifier: Apache-2.0
"""Read the options from their files."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Final

from oslo_config import cfg
from oslo_config import iniparser

from rtvirt.conf.opts import GROUP
from rtvirt.conf.opts import OPTS
from rtvirt.exception import ConfigError
from rtvirt.exception import ModelError
from rtvirt.fitting.strategy import DEFAULT_STRATEGY
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.limits import Limits
from rtvirt.model.partition import ReservedPages

_FORM: Final = f'write each option as name = value below [{GROUP.name}]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of ``rtvirt.conf``; None is not set."""

    connection_uri: str | None = None
    cpu_dedicated_set: CPUSet | None = None
    cpu_shared_set: CPUSet | None = None
    reserved_huge_pages: tuple[ReservedPages, ...] = ()
    strategy: str = DEFAULT_STRATEGY
    smt_isolate: str = 'cores'
    cpu_allocation_ratio: float | None = None
    ram_allocation_ratio: float | None = None
    lock_path: str = '/run/rtvirt'
    lock_timeout: int = 60

    @property
    def limits(self) -> Limits | None:
        """The ratios; None where neither is set.

        :raises ConfigError: if one is no number to count with.
        """
        cpu, ram = self.cpu_allocation_ratio, self.ram_allocation_ratio
        if cpu is None and ram is None:
            return None
        try:
            return Limits(
                cpu_allocation_ratio=1.0 if cpu is None else cpu,
                ram_allocation_ratio=1.0 if ram is None else ram,
            )
        except ModelError as error:
            raise ConfigError(
                str(error),
                hint='give a number as in 1.5, by the option or below '
                f'[{GROUP.name}]',
            ) from error


def read_settings(files: Sequence[str] = ()) -> Settings:
    """Read the options.

    :param files: configuration files, of which the last wins. Where there
        are none: ``rtvirt.conf`` in ``~/.rtvirt``, ``~``, ``/etc/rtvirt`` or
        ``/etc``, if one is there.
    :raises ConfigError: if a file cannot be read, or an option is unknown or
        has a wrong value.
    """
    paths = find_files(files)
    conf = cfg.ConfigOpts()
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
    try:
        conf(
            [],
            default_config_files=paths,
            default_config_dirs=[],
            use_env=False,
        )
    except cfg.Error as error:
        raise ConfigError(_one_line(error), hint=_FORM) from error
    given = _read_given(paths)
    values = {o.dest: _value(conf, o.dest, given) for o in OPTS}
    values['reserved_huge_pages'] = tuple(values['reserved_huge_pages'] or ())
    return Settings(**values)


def find_files(files: Sequence[str]) -> list[str]:
    """Return the files to read: these, or those in the usual places.

    :raises ConfigError: if one cannot be read.
    """
    paths = list(files) or cfg.find_config_files('rtvirt', 'rtvirt')
    for path in paths:
        _check_readable(path)
    return paths


def read_sections(path: str) -> dict[str, dict[str, list[str]]]:
    """Return the options of a file by section, as texts.

    :raises ConfigError: if it is no configuration file.
    """
    sections: dict[str, dict[str, list[str]]] = {}
    try:
        cfg.ConfigParser(path, sections).parse()
    except iniparser.ParseError as error:
        raise ConfigError(_one_line(error), hint=_FORM) from error
    return sections


def _check_readable(path: str) -> None:
    try:
        Path(path).read_text(encoding='utf-8')
    except OSError as error:
        raise ConfigError(
            f'cannot read {path!r}: {error.strerror}',
            hint='name a file that is there and that you may read',
        ) from error
    except ValueError as error:
        raise ConfigError(
            f'{path!r} is no text: {error}',
            hint='save it as UTF-8, if it is the right file',
        ) from error


def _read_given(paths: Sequence[str]) -> dict[str, str]:
    """Return the options that are set, each with the text that sets it.

    :raises ConfigError: if one is unknown: oslo.config would not mind.
    """
    known = [option.dest for option in OPTS]
    given = {}
    for path in paths:
        for name, texts in read_sections(path).get(GROUP.name, {}).items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise ConfigError(
                    f'{path}: [{GROUP.name}] has no option {name!r}',
                    hint=f'did you mean {near[0]}?'
                    if near
                    else f'choose one of {", ".join(known)}',
                )
            given[name] = f'{name} = {texts[-1]} in {path}'
    return given


def _value(conf: cfg.ConfigOpts, name: str, given: dict[str, str]) -> Any:
    try:
        return conf[GROUP.name][name]
    except (cfg.Error, ValueError) as error:
        # Behind this stands the reason, before it a Python object.
        _, _, why = str(error).partition(' is not valid: ')
        raise ConfigError(
            f'{given[name]}: {_one_line(why or error)}',
            hint='"oslo-config-generator --namespace rtvirt" prints what '
            'each option takes',
        ) from error


def _one_line(error: object) -> str:
    return ' '.join(str(error).split())
