#!/usr/bin/env bash
# Draws the pictures of docs/pictures again: what a terminal shows of the demo, without an engine.
# Look at them before they are committed.
#
#   bash tests/pictures.sh

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
home=$(mktemp -d)
trap 'kill "${stand_in-}" 2>/dev/null || true; rm -rf "$home"' EXIT

cargo build --locked --manifest-path "$root/Cargo.toml"
mkdir -p "$home/run" "$home/tmp"
# A person's environment, with nothing of the person's who draws.
cd "$home"
export PATH=$root/target/debug:$PATH HOME=$home XDG_RUNTIME_DIR=$home/run TMPDIR=$home/tmp
export LC_ALL=C.UTF-8 TERM=xterm-256color CKI_ENGINE=native
unset DOCKER_HOST CONTAINER_HOST XDG_CONFIG_HOME NO_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS

cki demo --keep >"$home/demo.log" 2>&1
cd cki-demo
cki demo serve 2>"$home/serve.log" &
stand_in=$!
until grep -qs serves "$home/serve.log"; do sleep 0.1; done

picture() { # name, columns, [-- seconds command]…
  python3 "$root/tests/setup/terminal_svg.py" "${@:2}" | sed "s|$home|/home/you|g" >"$home/$1.svg"
  mv "$home/$1.svg" "$root/docs/pictures/$1.svg"
}

picture run-local 106 -- 5 'cki run-local pipeline-herder'
picture stage 100 -- 0 'cki stage --mr 213 --component pipeline-herder --yes' -- 0 'cki stage --mr 213 --component pipeline-herder --rerun cki/620247 --yes'
