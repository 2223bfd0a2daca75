# SPDX-License-Identifier: Apache-2.0
"""Completion for zsh, from the data that cliff has for bash."""

from __future__ import annotations

import shlex

from cliff.complete import CompleteShellBase

# zsh hands over the words of the command line in `words`, the number of the
# one to complete in CURRENT and what is typed of it in PREFIX. `path` is
# zsh's own, so what is looked up is called `place`.
_BEFORE = """\
#compdef {program}

_{function}() {{
  local -A table
  table=(
"""
_AFTER = """\
  )
  local place='' next word
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    if [[ $word == -* ]]; then
      [[ -z $place ]] && continue
      break
    fi
    next=${{place:+${{place}}_}}${{word//-/_}}
    (( ${{+table[.$next]}} )) || break
    place=$next
  done
  local -a found
  found=(${{=table[.$place]}})
  if [[ $found[1] == -* && $PREFIX != -* ]]; then
    _files
  else
    compadd -- $found
  fi
}}

if [[ $funcstack[1] == _{function} ]]; then
  _{function}
else
  compdef _{function} {program}
fi
"""


class CompleteZsh(CompleteShellBase):
    """Completion for zsh: commands, then their options, else file names.

    What is printed works as a file of the function path, by the name
    ``_rtvirt``, as well as by ``source``.
    """

    def get_header(self) -> str:
        """Return what stands before the data."""
        return _BEFORE.format(program=self.name, function=self.escaped_name)

    def get_trailer(self) -> str:
        """Return what stands behind the data."""
        return _AFTER.format(program=self.name, function=self.escaped_name)

    def write(self, cmdo: str, data: list[tuple[str, str]]) -> None:
        """Write the code.

        :param cmdo: the first words of the commands, in one text.
        :param data: for ``flavor`` the words that follow, for
            ``flavor_show``, which is a whole command, its options.
        """
        self.output.write(self.get_header())
        for words, following in [('', cmdo), *data]:
            key = '.' + words.replace('-', '_')
            self.output.write(f'    {key} {shlex.quote(following)}\n')
        self.output.write(self.get_trailer())
