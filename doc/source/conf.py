# SPDX-License-Identifier: Apache-2.0
"""How Sphinx renders the documentation. It needs no network and no git."""

import importlib.metadata
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'ext'))

project = 'rtvirt'
copyright = 'the rtvirt developers'
version = release = importlib.metadata.version('rtvirt')

extensions = [
    'cliff.sphinxext',
    'openstackdocstheme',
    'oslo_config.sphinxext',
    'sphinx.ext.autodoc',
    'catalog',
    'command',
    'layers',
    'meanings',
    'rows',
]
highlight_language = 'none'
maximum_signature_line_length = 79
# They would turn --option into something that cannot be pasted.
smartquotes = False
root_doc = 'index'
html_theme = 'openstackdocs'
# Not one of OpenStack's own projects: no links to its bug tracker.
openstackdocs_auto_name = False
openstackdocs_use_storyboard = False
html_theme_options = {'show_other_versions': False}
html_copy_source = False
html_show_sourcelink = False

# The fields of a dataclass are described by the docstring of the class.
autodoc_default_options = {'members': True}
autodoc_member_order = 'bysource'
autodoc_typehints_format = 'short'
autoprogram_cliff_application = 'rtvirt'

man_pages = [
    ('man/rtvirt', 'rtvirt', 'real-time virtual machines on Linux', '', 1),
]
man_show_urls = True
