# SPDX-License-Identifier: Apache-2.0
"""How Sphinx renders the release notes."""

project = 'rtvirt'
copyright = 'the rtvirt developers'

extensions = ['openstackdocstheme', 'reno.sphinxext']
html_theme = 'openstackdocs'
openstackdocs_auto_name = False
openstackdocs_use_storyboard = False
html_theme_options = {'show_other_versions': False}
root_doc = 'index'
