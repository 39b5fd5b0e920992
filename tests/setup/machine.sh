# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# What all steps stand on: where things live, how a step is run and shown, how a run ends.
# Nothing here knows an engine or a package. Sourced by tests/run and tests/bench/run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
machine=$root/target/test-machine
logs=$machine/logs
# Names this checkout, so that two of them on one machine do not meet.
id=$(printf '%s' "$root" | sha256sum | cut -c1-8)
# Sockets have a path limit of 108 bytes and Podman's run directory one of 50, which a checkout deep
# in somebody's home would break; and what belongs to running processes should not outlive a boot.
run=/run/cki-test-$id

jobs_running=()
stop_engines=no

# The variables by which the tests find what was set up (see tests/suite/support/mod.rs). By the first,
# cargo starts test programs, and those of `cargo run`, in the network of the engines; cargo itself
# stays outside, where crates can be fetched.
machine_variables() {
  local target
  target=$(rustc --version --verbose | sed -n 's/^host: //p' | tr a-z- A-Z_)
  printf '%s\n' \
    "CARGO_TARGET_${target}_RUNNER=nsenter --net=$network --" \
    "CKI_TEST_DOCKER=unix://$docker_socket" \
    "CKI_TEST_PODMAN=unix://$podman_socket" \
    "CKI_TEST_CONTAINERS_CONF=$podman_conf/containers.conf" \
    "CKI_TEST_CONTAINERS_STORAGE_CONF=$podman_conf/storage.conf" \
    "CKI_TEST_PYTHON=$python" \
    "CKI_TEST_COMPOSE=$compose" \
    "CKI_TEST_KUBECTL=$kubectl" \
    "CKI_TEST_AXE=$axe"
}

# Begins a run: one at a time in a checkout, with a clean-up that also Ctrl-C cannot go round.
machine_open() {
  [ "$(id -u)" = 0 ] || packages_explain
  mkdir -p "$logs" "$run"
  exec 9>"$machine/lock"
  flock --nonblock 9 || fail "another run of these tests is under way in this checkout"
  trap machine_close EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # By this, what a run has started is known for its own, even after the run was killed.
  export CKI_TEST_MACHINE=$machine
  machine_end_orphans
}

# Ends the jobs of a run that was killed and could not end them itself.
machine_end_orphans() {
  local job process
  [ -e "$run/jobs" ] || return 0
  while read -r job; do
    for process in $(job_processes "$job"); do
      if grep -qzFx "CKI_TEST_MACHINE=$machine" "$process/environ" || grep -qzE 'tests/(bench/)?run$' "$process/cmdline"; then
        kill -KILL -- "-$job" || true
        break
      fi
    done 2>/dev/null
  done <"$run/jobs"
  rm -f "$run/jobs"
}

# The processes of a job, as directories of /proc: this runs before any package is there.
job_processes() { # job
  awk -v job="$1" '{ sub(/.*\) /, ""); if ($3 == job) { sub("/stat", "", FILENAME); print FILENAME } }' \
    /proc/[0-9]*/stat 2>/dev/null || true
}

# Asks for the engines to be stopped when this run ends, unless `--env` was asked to keep them.
engines_stop_at_end() {
  [ -e "$run/kept" ] || stop_engines=yes
}

# Stops them, and removes all that they know: the next ones are new. What was only fetched, or made of
# that, stays: the archive of images, the Python.
engines_stop() {
  local status=0
  # One that was killed is started once more, to take down what it left. Without `ip`, none ever ran.
  if [ -e "$docker_pid" ] || [ -e "$podman_pid" ]; then
    [ -e "$network" ] || network_open || status=1
    docker_stop || status=1
    podman_stop || status=1
  fi
  ! command -v ip >/dev/null || network_close || status=1
  machine_unmount
  [ "$status" != 0 ] || rm -rf "$docker_home" "$podman_home" "$run"
  return "$status"
}

# A run begins like the first one on a new machine, whatever an earlier one, or `--env`, has left.
engines_forget() {
  local kept=no
  [ ! -e "$run/kept" ] || kept=yes
  engines_stop
  mkdir -p "$run"
  [ "$kept" = no ] || touch "$run/kept"
  said 'no engine, no data, no rules, as if just booted'
}

machine_close() {
  local status=$?
  # The clean-up is short, and being cut in it, or ending it at the first thing that fails, is how
  # things are left behind.
  trap '' HUP INT TERM
  set +e
  local job
  for job in "${jobs_running[@]}"; do
    kill -TERM -- "-$job" 2>/dev/null && wait "$job" 2>/dev/null
  done
  packages_allow_services
  if [ "$stop_engines" = yes ]; then
    engines_stop >"$logs/stop.log" 2>&1 </dev/null 9>&- || { show_log "$logs/stop.log"; status=1; }
  fi
  exit "$status"
}

# Takes away the mounts that an engine or a package installation which was killed has left, so that
# `rm -rf target` works and never reaches through a mount.
machine_unmount() {
  awk '{print $2}' /proc/self/mounts | grep -E "^($machine|$run)/" | sort -r \
    | while read -r mount; do umount --lazy "$mount"; done || true
}

# Shows a failure of this script itself and ends it.
fail() {
  printf 'error: %s.\n' "$1" >&2
  [ -z "${2-}" ] || printf 'hint: %s.\n' "$2" >&2
  exit 1
}

show_log() {
  printf '  ── the end of %s\n' "${1#"$root"/}" >&2
  tail -n 40 "$1" >&2
}

# Starts a job in a process group of its own. Ctrl-C then reaches only this script, which ends the
# job and cleans up; and unlike with a plain `&`, what the job starts does not inherit an ignored
# SIGINT. Its process id is left in `job`.
job_start() { # command…
  set -m
  "$@" </dev/null 9>&- &
  job=$!
  set +m
  jobs_running+=("$job")
  printf '%s\n' "$job" >>"$run/jobs"
}

job_wait() { # job
  local status=0 others=() other
  wait "$1" || status=$?
  for other in "${jobs_running[@]}"; do
    [ "$other" = "$1" ] || others+=("$other")
  done
  jobs_running=("${others[@]}")
  return "$status"
}

# Runs one step of the setup and shows one line for it: name, what came out, time. Its output goes
# to a log, whose end is shown if the step fails, which ends the run.
step() { # name, command…
  local name=$1 began=$EPOCHREALTIME
  shift
  job_start "$@" >"$logs/${name// /-}.log" 2>&1
  step_join "$name" "$job" "$began"
}

step_join() { # name, job, when it began
  local log="$logs/${1// /-}.log"
  [ ! -t 2 ] || printf '  %-14s …\r' "$1" >&2
  if ! job_wait "$2"; then
    show_line "$1" failed "$3"
    show_log "$log"
    exit 1
  fi
  show_line "$1" "$(sed -n 's/^=> //p' "$log" | tail -n 1)" "$3"
}

# What a step says of itself in its line: the last of these counts.
said() {
  printf '=> %s\n' "$*"
}

show_line() { # name, text, when it began
  printf '  %-14s %-58s %7s s\n' "$1" "$2" "$(seconds_since "$3")" >&2
}

seconds_since() {
  awk -v began="$1" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.1f", now - began }'
}
