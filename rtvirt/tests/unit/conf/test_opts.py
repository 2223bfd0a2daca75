# SPDX-License-Identifier: Apache-2.0
"""The options explain themselves in the sample file."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import io
from typing import Any

import pytest
from oslo_config import cfg
from oslo_config import generator

from rtvirt.conf import opts
from rtvirt.conf.choice import SMT_ISOLATE
from rtvirt.conf.choice import STRATEGIES
from rtvirt.conf.settings import Settings
from rtvirt.fitting.strategy import find_strategy
from rtvirt.fitting.terms import SMTIsolate


def test_settings_have_a_field_for_each_option() -> None:
    fields = [field.name for field in dataclasses.fields(Settings)]
    assert fields == [option.dest for option in opts.OPTS]


def test_defaults_are_the_same_in_both_places() -> None:
    settings = Settings()
    for option in opts.OPTS:
        if option.default is not None:
            assert getattr(settings, option.dest) == option.default


def test_the_words_are_those_of_the_fit() -> None:
    assert list(SMT_ISOLATE) == list(SMTIsolate)
    for word in STRATEGIES:
        assert callable(find_strategy(word))


def test_the_generator_finds_the_options() -> None:
    (point,) = importlib.metadata.entry_points(
        group='oslo.config.opts', name='rtvirt'
    )
    assert point.load() is opts.list_opts


def test_each_option_has_prose_and_names_its_argument() -> None:
    for option in opts.OPTS:
        assert option.help is not None
        assert 'Argument:' in option.help
        assert '``--' in option.help
        assert len(option.help.split()) > 8


def sample() -> str:
    conf = cfg.ConfigOpts()
    generator.register_cli_opts(conf)
    conf(['--namespace', 'rtvirt'])
    out = io.StringIO()
    generator.generate(conf, output_file=out)
    return out.getvalue()


def test_the_sample_file_shows_all_options() -> None:
    text = sample()
    assert '[rtvirt]' in text
    for option in opts.OPTS:
        assert f'#{option.dest} = ' in text


@pytest.mark.parametrize('option', opts.OPTS, ids=lambda option: option.dest)
def test_the_sample_values_are_accepted(option: Any) -> None:
    if option.sample_default is not None:
        assert option.type(option.sample_default) is not None
