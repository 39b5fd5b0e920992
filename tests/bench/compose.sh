# shellcheck shell=bash disable=SC2154 # variables of tests/setup and tests/bench/run
# Several services at once: by `cki` and by Docker Compose, in turns on the same daemon.

bench_inventory=$root/tests/fixtures/bench

# Three services whose probes say yes at once, brought up until they are ready, asked for once more,
# and taken down.
three_services() {
  export DOCKER_HOST=unix://$docker_socket
  local phase ours theirs
  if ! { by_cki_up && by_cki_down && by_compose_up && by_compose_down; } >"$logs/three.log" 2>&1; then
    show_log "$logs/three.log"
    row 'three services' - 'docker compose' - - 0.4 failed
    return
  fi
  declare -A cki_times compose_times
  for _ in $(seq "$compose_rounds"); do
    for phase in up again down; do
      cki_times[$phase]+="$(seconds_of "by_cki_$phase") "
    done
    for phase in up again down; do
      compose_times[$phase]+="$(seconds_of "by_compose_$phase") "
    done
  done
  for phase in up again down; do
    # shellcheck disable=SC2086 # one number a word
    { ours=$(median ${cki_times[$phase]}); theirs=$(median ${compose_times[$phase]}); }
    case $phase in
      up) compose_row 'three services until ready' "$ours" "$theirs" 0.4 ;;
      again) compose_row '  the same again' "$ours" "$theirs" 0.1 ;;
      down) compose_row '  taken down' "$ours" "$theirs" 0.6 ;;
    esac
  done
}

# A component that needs a real database: until the database answers and the component has started.
# Compose asks once a second, since Docker of before version 25 knows no other way.
database() {
  export DOCKER_HOST=unix://$docker_socket
  local ours=() theirs=()
  if ! { by_cki_database && by_cki_down && by_compose_database && by_compose_no_database; } \
    >"$logs/database.log" 2>&1; then
    show_log "$logs/database.log"
    row 'component + PostgreSQL' - 'docker compose' - - 1 failed
    return
  fi
  for _ in $(seq "$compose_rounds"); do
    ours+=("$(seconds_of by_cki_database)")
    by_cki_down >/dev/null 2>&1
    theirs+=("$(seconds_of by_compose_database)")
    by_compose_no_database >/dev/null 2>&1
  done
  compose_row 'component + PostgreSQL' "$(median "${ours[@]}")" "$(median "${theirs[@]}")" 1
}

by_cki_database() {
  bench_cki run-local query --detach
}

by_compose_database() {
  alone DOCKER_HOST="$DOCKER_HOST" "$compose" --file "$bench_inventory/database.yaml" up --detach --wait
}

by_compose_no_database() {
  alone DOCKER_HOST="$DOCKER_HOST" "$compose" --file "$bench_inventory/database.yaml" down --volumes
}

compose_row() { # what, our seconds, their seconds, floor
  ratio_row "$1" "$2" 'docker compose' "$3" "$(awk "BEGIN { print $2 / $3 }")" "$4"
}

by_cki_up() {
  bench_cki run-local one two three --detach --keep-services
}

by_cki_again() {
  by_cki_up
}

by_cki_down() {
  bench_cki down
}

by_compose_up() {
  alone DOCKER_HOST="$DOCKER_HOST" "$compose" --file "$bench_inventory/compose.yaml" up --detach --wait
}

by_compose_again() {
  by_compose_up
}

by_compose_down() {
  alone DOCKER_HOST="$DOCKER_HOST" "$compose" --file "$bench_inventory/compose.yaml" down
}

bench_cki() {
  alone DOCKER_HOST="$DOCKER_HOST" "$cki" --engine docker --inventory "$bench_inventory" "$@"
}
