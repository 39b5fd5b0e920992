# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# A Kubernetes API server of the tests' own, with the controllers and without a kubelet: tests play that one. No
# package has the server, so it is built once, from Debian's sources with Debian's Go, and kept outside of the
# checkout. Nothing of it is installed on the machine: packages are only unpacked.

kubernetes_version=1.20.2
kubernetes_home=${XDG_CACHE_HOME:-$HOME/.cache}/cki-tests/kubernetes-$kubernetes_version
# Where the tests find etcd, kube-apiserver and kube-controller-manager. Each test starts its own.
kubernetes_bin=$kubernetes_home/bin
kubernetes_packages=(golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev etcd-server docker-registry)

kubernetes_install() {
  if [ -e "$kubernetes_home/complete" ]; then
    said "kept in $kubernetes_home"
    return
  fi
  local making=$kubernetes_home/making
  # What was unpacked and compiled stays if a build is cut, so that the next one goes on.
  mkdir -p "$making"
  if [ ! -e "$making/unpacked" ]; then
    kubernetes_unpack "$making"
    touch "$making/unpacked"
  fi
  kubernetes_build "$making"
  mkdir -p "$kubernetes_bin"
  install -m 755 "$making/out/kube-apiserver" "$making/out/kube-controller-manager" \
    "$making/packages/usr/bin/etcd" "$making/packages/usr/bin/docker-registry" "$kubernetes_bin"
  rm -rf "$making"
  touch "$kubernetes_home/complete"
  said "built $kubernetes_version in $kubernetes_home"
}

# Fetches the packages and the sources, whose signatures and sums apt checks, and unpacks them.
kubernetes_unpack() { # directory
  local making=$1 debian=(-q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$1/apt"
    -o "Dir::State::lists=$1/lists" -o APT::Sandbox::User=root)
  local address
  # shellcheck disable=SC2016 # apt replaces these
  address=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
  [ -n "$address" ] || fail "the packages of Debian 12 are needed, and no source of apt has them"
  rm -rf "${making:?}"/*
  mkdir -p "$making"/{apt,lists/partial,fetched,packages,source}
  cat >"$making/apt/debian.sources" <<-END
	Types: deb deb-src
	URIs: $address
	Suites: bookworm
	Components: main
	Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
  cd "$making/fetched" || return
  apt-get "${debian[@]}" update
  apt-get "${debian[@]}" download "${kubernetes_packages[@]}"
  apt-get "${debian[@]}" source --download-only kubernetes
  local package
  for package in *.deb; do
    dpkg-deb --extract "$package" "$making/packages"
  done
  tar --extract --file ./kubernetes_*.orig.tar.gz --directory "$making/source" --strip-components 1
  # The copy of this library in the sources crashes with Go 1.18 and later. Debian has the next version.
  local library=github.com/modern-go/reflect2
  rm -r "$making/source/vendor/$library"
  cp -r "$making/packages/usr/share/gocode/src/$library" "$making/source/vendor/$library"
}

# Without the Makefile of the sources, which wants more programs: of what it would generate, only one file is not
# among the sources.
kubernetes_build() { # directory
  local making=$1 path=k8s.io/kubernetes
  mkdir -p "$making"/{home,tmp,out} "$making/gopath/src/k8s.io"
  ln -sfn "$making/source" "$making/gopath/src/$path"
  export GOROOT="$making/packages/usr/lib/go-1.19" GOPATH="$making/gopath" GOCACHE="$making/gocache"
  export HOME="$making/home" TMPDIR="$making/tmp" CGO_ENABLED=0 GO111MODULE=off
  local go="$GOROOT/bin/go"
  cd "$GOPATH/src/$path" || return
  if [ ! -e "$making/generated" ]; then
    "$go" build -o "$making/out/" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    local tagged
    tagged=$(grep -rl --include=*.go '+k8s:openapi-gen=' pkg cmd plugin staging/src/k8s.io \
      | grep -vE '_test\.go$|/(code-generator|sample-apiserver|testdata)/' \
      | xargs -n1 dirname | LC_ALL=C sort -u | sed -e "s,^staging/src,vendor," -e "s,^,$path/," | paste -sd,)
    "$making/out/openapi-gen" --logtostderr -i "$tagged" -p "$path/pkg/generated/openapi" \
      -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt -r "$making/violations"
    touch "$making/generated"
  fi
  "$go" build -o "$making/out/" -ldflags '-s -w' ./cmd/kube-apiserver ./cmd/kube-controller-manager
}
