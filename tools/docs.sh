#!/bin/sh
# Prints a page of docs/ that is made from the tables: options, commands or datasets.
cd "$(dirname "$0")/.." || exit 1
case $1 in
options)
    build/skiff options ;;
datasets)
    build/skiff datasets ;;
commands)
    echo '# Commands'
    echo
    echo 'Made by `make docs` from the table of commands. What `--json` prints is described in [cli.md](cli.md).'
    build/skiff --help | sed -n 's/^  \([a-z]* \{0,1\}[a-z]*\)  .*/\1/p' | while read -r name; do
        printf '\n## skiff %s\n\n```\n' "$name"
        # shellcheck disable=SC2086
        build/skiff $name --help | sed '/^options, as name=value:/,$d'
        printf '```\n'
    done ;;
*)
    echo "usage: tools/docs.sh options|commands|datasets" >&2; exit 2 ;;
esac
