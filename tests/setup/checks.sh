# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# What is run on the finished machine: the tests, the lints, and the look at what the tests left.

# Seconds for all tests. Those of one program, and a single test, have limits of their own, which come
# first (see tests/suite/support/limit.rs): this one holds whatever becomes of them.
checks_limit=2400
# The tests that `bash tests/run --kubernetes` runs; everything else leaves them out, and says so.
checks_separate=kubernetes_api::
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
  printf 'not run: the tests with the API server of Kubernetes (bash tests/run --kubernetes)\n' >&2
  checks_summary "$began" 'every other test ran, nothing failed, nothing is left on either engine'
}

# Runs the tests with their output on the terminal and in a log.
checks_tests() { # filter…
  local tests clock
  : >"$logs/tests.log"
  job_start checks_cargo_test "$@"
  tests=$job
  job_start checks_clock "$tests"
  clock=$job
  job_wait "$tests" || checks_failed+=(tests)
  kill -TERM -- "-$clock" 2>/dev/null || true
  job_wait "$clock" || true
}

# Ends the tests when their time is over, and names those that the test harness has found slow and
# that have not ended since.
checks_clock() { # job of the tests
  sleep "$checks_limit"
  printf 'error: the tests have not ended within %s s.\n' "$checks_limit" >&2
  awk '/^test .* has been running for over/ { running[$2] = 1 }
    /^test [^ ]+ \.\.\. / { delete running[$2] }
    END { for (name in running) print "test " name " ... FAILED (time limit of the whole run)" }' "$logs/tests.log" >&2
  kill -TERM -- "-$1" 2>/dev/null || true
  sleep 10
  kill -KILL -- "-$1" 2>/dev/null || true
}

checks_cargo_test() {
  local variable
  cd "$root" || return
  unset DOCKER_HOST CONTAINER_HOST CONTAINERS_CONF CONTAINERS_STORAGE_CONF
  while read -r variable; do
    export "${variable?}"
  done < <(machine_variables)
  # Property tests try the same inputs each time, so that no run fails by chance for what nobody changed.
  export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}
  # Much of their time, the tests wait for an engine.
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-3}
  cargo test --locked --no-fail-fast "$@" -- --include-ignored --skip "$checks_separate" 2>&1 | tee "$logs/tests.log"
}

# Runs the tests that need the API server of Kubernetes, and only these.
checks_kubernetes() {
  local began=$EPOCHREALTIME
  : >"$logs/tests.log"
  job_start checks_cargo_test_kubernetes
  job_wait "$job" || checks_failed+=(tests)
  checks_summary "$began" 'every test with the API server of Kubernetes passed'
}

checks_cargo_test_kubernetes() {
  cd "$root" || return
  unset KUBECONFIG
  export CKI_TEST_KUBERNETES=$kubernetes_bin CKI_TEST_KUBECTL=$kubectl
  cargo test --locked --test suite "$checks_separate" -- --include-ignored 2>&1 | tee "$logs/tests.log"
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

# What the failed tests said, without their stack traces, in a few lines each: the log may be out of
# reach where somebody else ran this.
checks_reasons() {
  awk '/^---- .* stdout ----$/ { shown = 1; lines = 0 }
    /^stack backtrace:$/ || /^failures:$/ { shown = 0 }
    shown && lines++ < 25 { print "  " substr($0, 1, 400) }' "$logs/tests.log" >&2
}

# The last two lines: what it comes to, and cargo's own closing line with the numbers of all
# test binaries together.
checks_summary() { # when it began, what it comes to if nothing failed
  local seconds verdict=ok
  seconds=$(seconds_since "$1")
  [ ${#checks_failed[@]} -eq 0 ] || verdict=FAILED
  if [ "$verdict" = ok ]; then
    printf 'All is well: %s.\n' "$2" >&2
  else
    checks_reasons
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
