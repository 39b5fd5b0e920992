# shellcheck shell=bash disable=SC2154 # variables of tests/setup and tests/bench/run
# How time and memory grow with the entries of an inventory: directories with a file for each entry, and
# single files of many entries. Each entry has sources, dependencies, an environment and
# needs.

growth_rounds=7

# Time and peak memory of `cki list`, of completing a name and of `cki show`, for directories of four
# sizes, files of many entries, and files whose entries each need the one before. The ratio is that of the
# time to the previous size: ten times the entries should take ten times as long, and a little less than
# that where starting the program counts.
growth() {
  local count before list complete show peak inventory
  for count in 100 1000 10000 100000; do
    inventory=$results/growth/$count
    [ -d "$inventory" ] || growth_directory "$count" "$inventory"
    growth_rows "$count files"
  done
  before=
  for count in 1000 10000; do
    inventory=$results/growth/one-$count.yaml
    [ -f "$inventory" ] || growth_file "$count" >"$inventory"
    growth_rows "one file of $count"
  done
  before=
  for count in 1000 10000; do
    inventory=$results/growth/chain-$count.yaml
    [ -f "$inventory" ] || growth_chain "$count" >"$inventory"
    growth_rows "a chain of $count"
  done
}

# The rows of one inventory.
growth_rows() { # what
  local most=
  [ "$1" != '10000 files' ] || most=150
  growth_times
  growth_row "list, $1" "$list" "${before-}" "$peak" "$most"
  growth_row '  completing a name' "$complete" '' "$peak" "$most"
  growth_row '  show one' "$show" '' "$peak"
  before=$list
}

# Sets list, complete, show and peak from the inventory: the least of several times, since whatever else
# the machine does only ever adds to them.
growth_times() {
  local lists=() completes=() shows=() round
  peak=$(alone /usr/bin/time --format %M "$cki" --inventory "$inventory" list 2>&1 >/dev/null | tail -n 1)
  for round in $(seq "$growth_rounds"); do
    lists+=("$(seconds_of alone "$cki" --inventory "$inventory" list)")
    completes+=("$(seconds_of alone COMPLETE=fish "$cki" -- cki --inventory "$inventory" show c9)")
    shows+=("$(seconds_of alone "$cki" --inventory "$inventory" show c9)")
  done
  list=$(least "${lists[@]}")
  complete=$(least "${completes[@]}")
  show=$(least "${shows[@]}")
}

least() {
  printf '%s\n' "$@" | sort -n | head -n 1
}

growth_chain() { # count
  printf 'version: 1\ncomponents:\n'
  awk -v count="$1" 'BEGIN {
    for (at = 0; at < count; at++)
      print "- name: c" at "\n  category: service\n  run: {command: [x], needs: [" (at ? "c" (at - 1) : "redis") "]}"
  }'
}

growth_row() { # what, seconds, seconds of a tenth of it, peak in KB, most milliseconds
  local ratio=- missed=
  [ -z "$3" ] || ratio=$(awk "BEGIN { printf \"%.1f\", $2 / $3 }")
  [ -z "${5-}" ] || missed=$(awk "BEGIN { if ($2 * 1000 > $5) print \"missed; \" }")
  row "$1" "$(spoken "$2")" - - "$ratio" "${5-}" "$missed$(awk "BEGIN { printf \"%.0f MB\", $4 / 1024 }")"
}

growth_directory() { # count, directory
  mkdir -p "$2/service"
  printf 'version: 1\ntitle: Grown\nrepos: {tools: https://example.org/tools}\n' >"$2/inventory.yaml"
  growth_entries "$1" '' | awk -v service="$2/service" '
    /^# / { if (file) close(file); file = service "/" $2 ".yaml"; next }
    { print >file }'
}

growth_file() { # count
  printf 'version: 1\ntitle: Grown\nrepos: {tools: https://example.org/tools}\ncomponents:\n'
  growth_entries "$1" '  ' | awk '
    /^# / { print "- name: " $2; print "  category: service"; next }
    { print }'
}

# Entries, each after a comment with its name.
growth_entries() { # count, indentation
  awk -v count="$1" -v in_="$2" 'BEGIN {
    for (at = 0; at < count; at++) {
      print "# c" at
      print in_ "description: The component number " at ", which does something with messages."
      print in_ "people: [team-" at % 50 "]"
      print in_ "sources:\n" in_ "  - {repo: tools, path: components/c" at "}"
      print in_ "dependencies:\n" in_ "  - {verb: writes, target: service/c" int(at / 2) "}"
      print in_ "environment:"
      print in_ "  - {name: LOG_LEVEL, default: info, description: How much it writes.}"
      print in_ "  - {name: QUEUE_" at ", required: true}"
      print in_ "  - {name: API_TOKEN, secret: true}"
      print in_ "image: registry.example.org/c" at
      print in_ "run:\n" in_ "  command: [python3, -m, c" at "]"
      print in_ "  needs: [redis" (at ? ", c" int(at / 2) : "") "]"
    }
  }'
}
