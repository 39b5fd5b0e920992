#!/usr/bin/env bash
# Builds the packages for Debian and Fedora, with the profile `dist`:
# `target/debian/*.deb` and `target/generate-rpm/*.rpm`.
#
#   bash tests/package.sh         # needs `cargo install cargo-deb cargo-generate-rpm`
#   bash tests/package.sh --try   # also installs each in a fresh Debian; needs root, debootstrap and rpm

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The metadata in Cargo.toml names files below `target`.
unset CARGO_TARGET_DIR

main() {
  cargo build --locked --profile dist
  rm -rf target/man target/debian target/generate-rpm
  target/dist/cki man --dir target/man
  cargo deb --no-build --locked --profile dist
  cargo generate-rpm --profile dist
  [ "${1-}" != --try ] || try
  ls target/debian/*.deb target/generate-rpm/*.rpm
}

# Uses what each package installed, and removes it.
try() {
  system=$(mktemp -d)
  trap 'umount "$system"/*/proc 2>/dev/null; rm -rf --one-file-system "$system"' EXIT
  debootstrap --variant=minbase --include=bash-completion,fish,man-db,zsh stable "$system/deb" >"$system/log" 2>&1 \
    || { cat "$system/log"; return 1; }
  cp -a "$system/deb" "$system/rpm"

  cp target/debian/*.deb "$system/deb/tmp/cki.deb"
  chroot "$system/deb" dpkg --install /tmp/cki.deb
  use "$system/deb" /usr/share/zsh/vendor-completions
  chroot "$system/deb" dpkg --remove cki
  removed "$system/deb"

  # Its dependencies have Fedora's names.
  local rpm=(rpm --root "$system/rpm" --dbpath /var/lib/rpm)
  [ ! -e /etc/debian_version ] || rpm+=(--force-debian)
  "${rpm[@]}" --install --nodeps target/generate-rpm/*.rpm
  use "$system/rpm" /usr/share/zsh/site-functions
  "${rpm[@]}" --erase cki
  removed "$system/rpm"
}

# The program, its pages, and completion in three shells.
use() { # system, directory of zsh's functions
  mount -t proc proc "$1/proc"
  # shellcheck disable=SC2016 # the shell of the system expands it
  chroot "$1" env -i HOME=/root SHELL=/bin/bash TERM=dumb PATH=/usr/bin:/bin LC_ALL=C.UTF-8 bash -ec '
    cki --version
    man -w cki cki-run-local
    man cki | head -n 4
    source /usr/share/bash-completion/bash_completion
    _completion_loader cki || true # it tells bash to complete once more, by a code
    complete -p cki
    COMP_LINE="cki show pipeline-her" COMP_POINT=21
    _cki cki pipeline-her show
    [ "${COMPREPLY[*]}" = pipeline-herder ]
    fish -c "complete -C \"cki show pipeline-her\"" | grep pipeline-herder
    zsh -fc "fpath+=($0); autoload -Uz compinit && compinit -D -u && [ \$_comps[cki] = _cki ]"' "$2"
}

removed() { # system
  umount "$1/proc"
  local left
  left=$(find "$1/usr" -type f '(' -name cki -o -name _cki -o -name 'cki[.-]*' ')')
  [ -z "$left" ] || { printf 'left behind:\n%s\n' "$left"; return 1; }
}

main "$@"
