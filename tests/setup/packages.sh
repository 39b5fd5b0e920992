# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# What the tests need from Debian: the engines, the shells whose completion is tested, the programs
# that stand-ins are made of. PowerShell is in no package, so its completion is only read, not run.

packages_wanted=(
  docker.io podman runc netavark aardvark-dns catatonit iptables iproute2 procps # engines
  busybox-static debootstrap curl jq                                             # their images and API
  git python3 python3-venv python3-pip cpp openssl                               # what components use
  zsh fish elvish bash-completion tmux strace                                    # where people type
  graphviz                                                                       # what reads our graphs
  chromium                                                                       # what shows our site
  hyperfine                                                                      # tests/bench
)

packages_missing() { # package…
  local package
  for package in "$@"; do
    dpkg-query --show --showformat '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed \
      || printf '%s\n' "$package"
  done
}

packages_install() { # package…, else all that the tests want
  local missing
  [ $# -gt 0 ] || set -- "${packages_wanted[@]}"
  # Where the kernel confines containers by AppArmor, the engines load their profile with this.
  ! grep -qx Y /sys/module/apparmor/parameters/enabled 2>/dev/null || set -- "$@" apparmor
  packages_allow_services
  mapfile -t missing < <(packages_missing "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    said "all $# are there"
    return
  fi
  packages_forbid_services
  export DEBIAN_FRONTEND=noninteractive
  local status=0
  { apt-get update && apt-get install --yes --no-install-recommends "${missing[@]}"; } || status=$?
  packages_allow_services
  [ "$status" = 0 ] || return "$status"
  said "installed ${#missing[@]} of $#"
}

# Debian starts a service as soon as it is installed: a dockerd of the machine's own would take
# over its firewall, and is not wanted here.
packages_forbid_services() {
  [ -e "$packages_policy" ] || printf '#!/bin/sh\n# %s\nexit 101\n' "$packages_mark" >"$packages_policy"
  chmod +x "$packages_policy"
}

packages_allow_services() {
  ! grep -qF "$packages_mark" "$packages_policy" 2>/dev/null || rm -f "$packages_policy"
}

packages_policy=/usr/sbin/policy-rc.d
packages_mark='put here by the tests of cki while they install packages'

# Without root nothing can be set up: says what would have to be done, and ends the run.
packages_explain() {
  local missing
  mapfile -t missing < <(packages_missing "${packages_wanted[@]}")
  [ ${#missing[@]} -eq 0 ] || fail "these Debian packages are missing: ${missing[*]}" \
    "run \`bash tests/run\` as root, which installs them; without an engine, \`cargo test\` lists what it ignores"
  fail "the tests start container engines of their own, which only root can" \
    "run \`bash tests/run\` as root; without an engine, \`cargo test\` lists what it ignores"
}
