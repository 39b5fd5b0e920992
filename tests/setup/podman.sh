# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# A Podman service of the tests' own: own storage, run directory, locks, networks and socket, all by
# configuration files, so that a `podman` that a test starts with the same files sees the same.

podman_socket=$run/podman.sock
podman_home=$machine/podman
podman_conf=$podman_home/conf
podman_pid=$podman_home/pid

# Also empties it, in case it was running: `tests/run --env` is begun alike each time.
podman_start() {
  mkdir -p "$podman_conf" "$podman_home/networks" "$run/podman"
  if engine_lives "$podman_pid" "$podman_socket" && engine_answers podman; then
    engine_empty podman
    said "$(podman_version), was running"
    return
  fi
  podman_clear
  local driver
  for driver in overlay vfs; do
    podman_configure "$driver"
    if podman_launch; then
      engine_empty podman
      said "$(podman_version), $driver"
      return
    fi
    podman_clear
  done
  tail -n 30 "$podman_home/log"
  return 1
}

podman_launch() {
  CONTAINERS_CONF=$podman_conf/containers.conf CONTAINERS_STORAGE_CONF=$podman_conf/storage.conf \
    nsenter --net="$network" -- setsid podman system service --time=0 "unix://$podman_socket" >"$podman_home/log" 2>&1 </dev/null &
  printf '%s\n' "$!" >"$podman_pid"
  engine_wait podman "$!"
}

podman_configure() { # storage driver
  # runc and cgroupfs work wherever root does, with mixed cgroups and without systemd. The limits
  # are such that a root without CAP_SYS_RESOURCE may set them. Locks and the mark of a first start
  # are the machine's by default: a service of ours would reset those of the machine's own Podman.
  cat >"$podman_conf/containers.conf" <<EOF
[containers]
default_ulimits = ["nofile=1024:16384", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "$run/podman/tmp"
[network]
network_backend = "netavark"
network_config_dir = "$podman_home/networks"
default_subnet_pools = [{"base" = "$network_podman_pool", "size" = 24}]
EOF
  cat >"$podman_conf/storage.conf" <<EOF
[storage]
driver = "$1"
graphroot = "$podman_home/$1"
runroot = "$run/podman/root"
EOF
}

podman_version() {
  engine_api podman /version | jq -r '"Podman " + .Version'
}

podman_stop() {
  # One that was killed is started once more: only it can take down the containers it left.
  [ ! -e "$podman_pid" ] || podman_start
  podman_clear
}

podman_clear() {
  engine_end "$podman_pid" "$podman_socket"
  # Podman keeps a watcher for each command run in a container five minutes longer than that.
  pgrep -f "^[^ ]*conmon .*$run/podman/" | xargs --no-run-if-empty kill -KILL || true
  rm -f "$podman_socket"
}
