# SPDX-License-Identifier: Apache-2.0
"""Log to where the configuration says, with oslo.log."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence
from typing import Final

from oslo_config import cfg

from rtvirt.conf.settings import find_files
from rtvirt.conf.settings import read_sections
from rtvirt.exception import ConfigError

_DESTINATIONS: Final = frozenset(
    ('log_config_append', 'log_dir', 'log_file', 'use_journal', 'use_syslog')
)


def set_up_logging(files: Sequence[str] = ()) -> bool:
    """Log as ``[DEFAULT]`` of the configuration files says.

    Handlers that are there stay. Where no destination is named nothing
    changes, and oslo.log is not even imported.

    :param files: as for :func:`~rtvirt.conf.settings.read_settings`.
    :returns: whether a destination is named.
    :raises ConfigError: if an option is wrong or a file cannot be written.
    """
    paths = find_files(files)
    named = {
        name
        for path in paths
        for name in read_sections(path).get('DEFAULT', ())
    }
    if not named & _DESTINATIONS:
        return False
    from oslo_log import log  # noqa: PLC0415

    conf = cfg.ConfigOpts()
    log.register_options(conf)
    root = logging.getLogger()
    handlers = root.handlers[:]
    said = io.StringIO()
    try:
        # oslo.config exits where the value of one of these is wrong.
        with contextlib.redirect_stderr(said):
            conf([], default_config_files=paths, default_config_dirs=[])
        log.setup(conf, 'rtvirt')
    except (cfg.Error, log.LogConfigError, OSError, SystemExit) as error:
        why = f'{said.getvalue() or error}'
        raise ConfigError(
            'logging cannot be set up: ' + ' '.join(why.split()),
            hint=f'see [DEFAULT] in {", ".join(paths)}',
        ) from error
    finally:
        for handler in handlers:
            root.addHandler(handler)
    return True
