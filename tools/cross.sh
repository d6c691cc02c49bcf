#!/bin/sh
# What is needed to build for 64-bit ARM on another machine and to run that here: a compiler and qemu (installed when they are
# missing) and Debian's libraries for arm64, unpacked below build/cross. Usage: tools/cross.sh
# apt resolves and checks them in a state of its own: the packages and the architectures of this machine stay as they are.
cd "$(dirname "$0")/.." || exit 1
root=$PWD/build/cross/root state=$PWD/build/cross/apt
libraries='libc6-dev libyaml-dev libpcre2-dev libutf8proc-dev libssl-dev zlib1g-dev libzstd-dev libsnappy-dev liblz4-dev
           libbrotli-dev libcurl4-openssl-dev ca-certificates'
tools/setup.sh build cross emulate || exit
done=$(cksum < tools/cross.sh)
[ "$(cat "$root/.done" 2>/dev/null)" = "$done" ] && exit 0

echo "cross: fetching Debian's libraries for arm64 to build/cross"
rm -rf "$root" "$state"
mkdir -p "$root/usr/lib" "$root/usr/bin" "$root/usr/sbin" "$state/lists/partial" "$state/archives/partial" || exit
: > "$state/status"
apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$state" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state" -o APT::Install-Recommends=false -o APT::Sandbox::User=root "$@"
}
# shellcheck disable=SC2086
apt update && apt --download-only -y install $libraries > /dev/null || { echo "cross: apt-get could not fetch the libraries" >&2; exit 1; }
# One /usr, as on an installed system: links in packages point through /lib.
for part in lib bin sbin; do ln -s usr/$part "$root/$part"; done
for package in "$state"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root" || exit
done
find "$root" -type l -lname '/*' | while read -r link; do ln -sfnr "$root$(readlink "$link")" "$link"; done
rm -rf "$state"
echo "$done" > "$root/.done"
