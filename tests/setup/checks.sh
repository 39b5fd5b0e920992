# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this folder
# What is run on the finished machine: the tests, the lints, and the look at what the tests left.

checks_failed=()

checks_build() {
  cd "$root" || return
  local began=$EPOCHREALTIME
  cargo test --locked --no-run
  said "the tests, built meanwhile in $(seconds_since "$began") s"
}

checks_run() { # filter of the tests…
  local began=$EPOCHREALTIME
  checks_tests "$@"
  checks_leftovers
  if [ $# -eq 0 ]; then
    checks_lint fmt cargo fmt --check
    checks_lint clippy cargo clippy --locked --all-targets -- -D warnings
    checks_lint doc env RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
  fi
  checks_summary "$began"
}

# Runs the tests with their output on the terminal and in a log.
checks_tests() { # filter…
  job_start checks_cargo_test "$@"
  job_wait "$job" || checks_failed+=(tests)
}

checks_cargo_test() {
  local variable
  cd "$root" || return
  unset DOCKER_HOST CONTAINER_HOST CONTAINERS_CONF CONTAINERS_STORAGE_CONF
  while read -r variable; do
    export "${variable?}"
  done < <(machine_variables)
  # Much of their time, the tests wait for an engine.
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-3}
  cargo test --locked --no-fail-fast "$@" -- --include-ignored 2>&1 | tee "$logs/tests.log"
}

# After the tests, nothing of theirs may be left on either engine.
checks_leftovers() {
  local left
  left=$(engine_leftovers docker && engine_leftovers podman)
  [ -n "$left" ] || return 0
  checks_failed+=(leftovers)
  printf 'left behind by the tests:\n' >&2
  printf '%s\n' "$left" | sed 's/^/  /' >&2
}

checks_lint() { # name, command…
  local name=$1 began=$EPOCHREALTIME
  shift
  job_start env --chdir="$root" "$@" >"$logs/$name.log" 2>&1
  [ ! -t 2 ] || printf '  %-14s …\r' "$name" >&2
  if job_wait "$job"; then
    show_line "$name" clean "$began"
  else
    show_line "$name" failed "$began"
    show_log "$logs/$name.log"
    checks_failed+=("$name")
  fi
}

# The last two lines: what it comes to, and cargo's own closing line with the numbers of all
# test binaries together.
checks_summary() { # when it began
  local seconds verdict=ok
  seconds=$(seconds_since "$1")
  [ ${#checks_failed[@]} -eq 0 ] || verdict=FAILED
  if [ "$verdict" = ok ]; then
    printf 'All is well: every test ran, nothing failed, nothing is left on either engine.\n' >&2
  else
    printf 'error: failed: %s. The logs are in %s.\n' "${checks_failed[*]}" "${logs#"$root"/}" >&2
  fi
  sed -n 's/^test result: [A-Za-z]*\. //p' "$logs/tests.log" | awk -v seconds="$seconds" -v verdict="$verdict" '
    { passed += $1; failed += $3; ignored += $5; measured += $7; filtered += $9 }
    END {
      printf "test result: %s. %d passed; %d failed; %d ignored; %d measured; %d filtered out; finished in %ss\n",
        verdict, passed, failed, ignored, measured, filtered, seconds
    }'
  [ "$verdict" = ok ] || exit 1
}
