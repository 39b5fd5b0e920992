# shellcheck shell=bash disable=SC2154 # variables of tests/setup and tests/bench/run
# How time and memory grow with the entries of an inventory: directories with a file for each entry, and
# single files of many entries. Each entry has sources, dependencies, an environment and
# needs.

growth_rounds=7

# Time and peak memory of `cki list` (without a cache, and when nothing changed), of completing a name and of
# `cki show`, for directories of four sizes, files of many entries, and files whose entries each need the one before. The
# ratio is that of the time to the previous size: ten times the entries should take ten times as long, and a little less
# than that where starting the program counts.
growth() {
  local count before before_warm cold warm complete show peak inventory
  growth_settled
  for count in 100 1000 10000 100000; do
    inventory=$results/growth/$count
    growth_rows "$count files"
  done
  before=
  before_warm=
  for count in 1000 10000; do
    inventory=$results/growth/one-$count.yaml
    [ -f "$inventory" ] || growth_file "$count" >"$inventory"
    growth_rows "one file of $count"
  done
  before=
  before_warm=
  for count in 1000 10000; do
    inventory=$results/growth/chain-$count.yaml
    [ -f "$inventory" ] || growth_chain "$count" >"$inventory"
    growth_rows "a chain of $count"
  done
  growth_commands
}

# Makes all directories, so that their files are old enough to be cached when they are measured.
growth_settled() {
  local count
  for count in 100 1000 10000 100000; do
    [ -d "$results/growth/$count" ] || growth_directory "$count" "$results/growth/$count"
  done
  for count in 1 2; do
    [ -d "$results/growth/layer-$count" ] || growth_directory 10000 "$results/growth/layer-$count"
  done
  sleep 3
}

# The rows of one inventory.
growth_rows() { # what
  local cold_most= warm_most= complete_most=
  if [ "$1" = '10000 files' ]; then
    cold_most=80
    warm_most=20
    complete_most=10
  fi
  growth_times
  growth_row "list, $1, without a cache" "$cold" "${before-}" "$peak" "$cold_most"
  growth_row '  nothing changed' "$warm" "${before_warm-}" "$peak" "$warm_most"
  growth_row '  completing a name' "$complete" '' "$peak" "$complete_most"
  growth_row '  show one' "$show" '' "$peak"
  before=$cold
  before_warm=$warm
}

# Sets cold, warm, complete, show and peak from the inventory: the least of several times, since whatever else
# the machine does only ever adds to them.
growth_times() {
  local colds=() warms=() completes=() shows=() round
  growth_forget
  peak=$(growth_peak list)
  for round in $(seq "$growth_rounds"); do
    growth_forget
    colds+=("$(seconds_of alone "$cki" --inventory "$inventory" list)")
    warms+=("$(seconds_of alone "$cki" --inventory "$inventory" list)")
    completes+=("$(seconds_of alone COMPLETE=fish "$cki" -- cki --inventory "$inventory" show c9)")
    shows+=("$(seconds_of alone "$cki" --inventory "$inventory" show c9)")
  done
  cold=$(least "${colds[@]}")
  warm=$(least "${warms[@]}")
  complete=$(least "${completes[@]}")
  show=$(least "${shows[@]}")
}

growth_forget() {
  rm -rf "$results/home/.cache/cki/inventory-cache"
}

growth_peak() { # words…
  alone /usr/bin/time --format %M "$cki" --inventory "$inventory" "$@" 2>&1 >/dev/null | tail -n 1
}

# Commands that use all entries of 10,000 files, three layers of as many, the site of 1,000, and another parser.
growth_commands() {
  local layered
  inventory=$results/growth/10000
  growth_command 'graph --reverse, 10000 files' 60 graph --reverse c5
  growth_command 'inventory check, 10000 files' 300 inventory check
  layered="$inventory,$results/growth/layer-1,$results/growth/layer-2"
  growth_forget
  row 'list, 3 layers of 10000' "$(spoken "$(seconds_of alone CKI_INVENTORY="$layered" "$cki" list)")" - - - -
  row '  nothing changed' "$(spoken "$(seconds_of alone CKI_INVENTORY="$layered" "$cki" list)")" - - - -
  inventory=$results/growth/1000
  rm -rf "$results/site"
  growth_command 'inventory site, 1000 files' 2000 inventory site "$results/site"
  if python3 -c 'import yaml; yaml.CSafeLoader' 2>/dev/null; then
    row 'reading them with libyaml' "$(spoken "$(seconds_of python3 -c '
import glob, sys, yaml
for path in glob.glob(sys.argv[1] + "/*/*.yaml"):
    with open(path) as file:
        yaml.load(file, Loader=yaml.CSafeLoader)
' "$results/growth/10000")")" - - - - '10000 files'
  fi
}

growth_command() { # what, most milliseconds, words…
  local what=$1 most=$2 times=() round
  shift 2
  alone "$cki" --inventory "$inventory" list >/dev/null 2>&1
  for round in $(seq "$growth_rounds"); do
    times+=("$(seconds_of alone "$cki" --inventory "$inventory" "$@")")
  done
  growth_row "$what" "$(least "${times[@]}")" '' "$(growth_peak "$@")" "$most"
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
