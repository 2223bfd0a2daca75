# SPDX-License-Identifier: Apache-2.0
"""How Sphinx renders the release notes."""

project = 'rtvirt'
copyright = 'the rtvirt developers'

extensions = ['reno.sphinxext']
html_theme = 'alabaster'
html_theme_options = {'show_powered_by': False}
root_doc = 'index'
