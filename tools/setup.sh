#!/bin/sh
# Installs the Debian packages that are missing, after saying which. Usage: tools/setup.sh build|lint|peers|fuzz|cross|emulate|avx512…
build='build-essential libyaml-dev libpcre2-dev libutf8proc-dev libssl-dev zlib1g-dev libzstd-dev libsnappy-dev liblz4-dev
       libbrotli-dev libcurl4-openssl-dev python3 python3-pip ca-certificates'
case $(uname -m) in x86_64) build="$build libdnnl-dev" ;; esac
lint='git'
peers='python3-venv'
fuzz='clang libclang-rt-14-dev'
cross='gcc-aarch64-linux-gnu libc6-dev-arm64-cross'
emulate='qemu-user'
avx512='bochs bochs-term bochsbios vgabios isolinux syslinux-common xorriso busybox-static cpio'
wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    lint)  wanted="$wanted $lint" ;;
    peers) wanted="$wanted $peers" ;;
    fuzz)  wanted="$wanted $fuzz" ;;
    cross) wanted="$wanted $cross" ;;
    avx512) wanted="$wanted $avx512" ;;
    emulate) wanted="$wanted $emulate" ;;
    *) echo "setup: unknown group '$group'; known: build lint peers fuzz cross emulate avx512" >&2; exit 2 ;;
    esac
done
missing=
for p in $wanted; do
    [ "$(dpkg-query -W -f='${Status}' "$p" 2>/dev/null)" = 'install ok installed' ] || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
echo "setup: installing Debian packages:$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo > /dev/null; then
    as_root=sudo
else
    echo "setup: this needs root: run as root, or install them yourself: apt-get install$missing" >&2
    exit 2
fi
# shellcheck disable=SC2086
$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing > /dev/null \
    || { echo "setup: apt-get could not install:$missing" >&2; exit 1; }
