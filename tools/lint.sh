#!/bin/sh
# What `make lint` proves: layers, formatting, sizes, banned functions, documentation of every option and command.
cd "$(dirname "$0")/.." || exit 1
bad=0
say() { echo "$*"; bad=$((bad + 1)); }

# Layers: each module of src/ may include itself, base, config and what is listed here.
allowed='
base:
config:
store:
format:  store
jinja:
text:    jinja format store
data:    text jinja format store
engine:  format
model:   engine format store
track:   format store
train:   engine model text data track format store
run:     train text data store
api:     run train track model engine data text format store
cli:
'
for file in $(find src -name '*.[ch]' | LC_ALL=C sort); do
    module=${file#src/} module=${module%%/*}
    may=" $module base $([ "$module" = cli ] || [ "$module" = base ] || echo config) $(echo "$allowed" | sed -n "s/^$module: *//p") "
    for used in $(sed -n 's/^#include "\([a-z_]*\)\/.*/\1/p' "$file" | sort -u); do
        case $may in *" $used "*) ;; *) say "$file: the layer $module may not use $used" ;; esac
    done
done

# Formatting, sizes, banned functions.
for file in $(find src include tests fuzz bench experiments -name '*.[ch]' 2>/dev/null | LC_ALL=C sort); do
    awk -v file="$file" '
        function say(text) { printf "%s:%d: %s\n", file, NR, text; bad = 1 }
        NR == 1 && !/^\/\// && file !~ /^tests\/golden|skiff.h$/ { say("a file begins with a comment that says what it is for") }
        /\t/ { say("a tab") }
        /[ \t]$/ { say("blanks at the end of a line") }
        { line = $0; gsub(/[\200-\277]/, "", line); most = file ~ /^(src|include)/ ? 140 : 160
          if (length(line) > most) say("a line of " length(line) " characters, " most " is the limit") }
        /(^|[^a-z_])(if|for|while|switch)\(/ { say("a blank belongs between the keyword and (") }
        /^ *(\} else )?(if|for|while|switch) .*\)\{$/ { say("a blank belongs before {") }
        /(^|[^a-z_])(strcpy|sprintf|gets|strtok|atoi|atol|atof)\(/ && file ~ /^src/ { say("a banned function") }
        /^[a-z].*\)$/ { head = NR; name = $0 }
        /^\{/ { open = NR }
        /^\}/ && open { if (NR - open > 62 && file ~ /^src/) say("the function that ends here has " NR - open - 1 " lines, 60 is the limit"); open = 0 }
        END { if (NR > 600) { printf "%s: %d lines, 600 is the limit: split it by topic\n", file, NR; bad = 1 } exit bad }
    ' "$file" || bad=$((bad + 1))
done

# Secrets of the workshop: machine paths and registry hosts.
if git grep -nE '/(work|tmp/w|root)/|pypi\.org|files\.pythonhosted|deb\.debian\.org' -- . ':!tools/lint.sh' ':!LICENSE'; then
    say "a path of one machine or the name of a registry's host stands in the tree"
fi

# Documentation that comes from the tables.
if [ -x build/skiff ]; then
    for page in options commands datasets; do
        tools/docs.sh $page | cmp -s - docs/$page.md || say "docs/$page.md is out of date: run 'make docs'"
    done
else
    say "build/skiff is missing: run 'make' first"
fi

find src -name '*.c' -o -name '*.h' | xargs cat | wc -l | xargs printf 'lint: %d lines in src\n'
[ $bad -eq 0 ] && echo "lint: nothing to say" || { echo "lint: $bad findings"; exit 1; }
