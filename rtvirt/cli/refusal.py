# SPDX-License-Identifier: Apache-2.0
"""Why a guest does not fit, for a program that reads the answer."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator

from rtvirt.cli.base import Show
from rtvirt.cli.report import DOCUMENTS
from rtvirt.cli.report import Report
from rtvirt.exception import FitError
from rtvirt.model.plain import dump

_SCHEMA_VERSION = 1


@contextlib.contextmanager
def emitted_refusal(
    command: Show, parsed_args: argparse.Namespace
) -> Iterator[None]:
    """Print the reasons of a misfit as a document, if one is asked for.

    The error goes on: the shell says it in words, and ends with its code.
    """
    try:
        yield
    except FitError as error:
        if parsed_args.formatter in DOCUMENTS:
            command.emit(_report(error), parsed_args)
        raise


def _report(error: FitError) -> Report:
    return Report(
        document={
            'schema_version': _SCHEMA_VERSION,
            'reasons': [dump(reason) for reason in error.reasons],
        },
        tables=(),
    )
