# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
#
# Completion for bash; belongs into share/bash-completion/completions as `portcullis`.

_portcullis() {
  local word=$2 before=$3 command= index
  COMPREPLY=()

  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      --) # Only files from here on.
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
      --page-size | --svg) # And its argument, before which a `=` may be a word.
        if [[ ${COMP_WORDS[index + 1]} == = ]]; then ((index += 2)); else ((index++)); fi
        ;;
      -?*) ;;
      *) command=${command:-${COMP_WORDS[index]}} ;;
    esac
  done

  # With `=` among the word breaks, `--page-size=4` arrives as three words.
  if [[ $before == --svg || ($before == = && ${COMP_WORDS[COMP_CWORD - 2]} == --svg) ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -d -- "${word#=}"; compgen -f -X '!*.svg' -- "${word#=}")
  elif [[ $before == --page-size || ($before == = && ${COMP_WORDS[COMP_CWORD - 2]} == --page-size) ||
    ($word == = && $before == --page-size) ]]; then
    mapfile -t COMPREPLY < <(compgen -W '4k 16k 64k' -- "${word#=}")
  elif [[ $word == -?* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--json --svg --perfetto --page-size --help --version' -- "$word")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'inspect trace replay --help --version' -- "$word")
  elif [[ $command != inspect ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  else
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -X '!*@(.dtb|.dtbo|.dat|APIC|FACP|IORT|MCFG|SPCR)' -- "$word")
  fi
}

complete -F _portcullis portcullis
