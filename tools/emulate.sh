#!/bin/sh
# Runs commands on an emulated x86-64 with AVX-512 (Bochs, a Skylake-X): boots Debian's kernel with nothing but busybox and static programs.
# Usage: tools/emulate.sh FOLDER COMMAND…: FOLDER's files lie where the commands begin. What these print goes to standard output, each
# after a line "+ COMMAND"; exit 1 when the machine did not come to the end of them.
# The kernel's package is unpacked below build/emulate; this machine gets only what tools/setup.sh installs.
cd "$(dirname "$0")/.." || exit 1
tools/setup.sh avx512 >&2 || exit
to=$PWD/build/emulate folder=$1
shift
mkdir -p "$to" || exit
if [ ! -e "$to/vmlinuz" ]; then
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)
    (cd "$to" && apt-get -qq -o APT::Sandbox::User=root download "${package:?emulate: apt does not know linux-image-cloud-amd64}") >&2 || exit
    dpkg-deb --fsys-tarfile "$to/$package"_*.deb | tar -x -C "$to" --wildcards --strip-components=2 './boot/vmlinuz-*' || exit
    mv "$to"/vmlinuz-* "$to/vmlinuz" && rm "$to/$package"_*.deb
fi
run=$(mktemp -d "$to/run.XXXXXX") || exit
emulator=
trap '[ -n "$emulator" ] && kill "$emulator" 2>/dev/null; rm -rf "$run"' EXIT
trap 'exit 1' INT TERM QUIT

# The first program of the machine.
mkdir -p "$run/files/bin" "$run/files/proc" "$run/files/tmp" "$run/files/dev" "$run/iso"
cp /bin/busybox "$run/files/bin/" && cp -r "$folder/." "$run/files/" || exit
{
    echo '#!/bin/busybox sh'
    echo '/bin/busybox mount -t proc proc /proc'
    echo 'echo 1 > /proc/sys/kernel/printk'
    for command in "$@"; do printf 'echo "+ %s"\n%s 2>&1\n' "$command" "$command"; done
    echo 'echo "+ the end"'
    echo '/bin/busybox poweroff -f'
} > "$run/files/init"
chmod +x "$run/files/init"
(cd "$run/files" && find . | cpio -o -H newc -R 0:0 --quiet) > "$run/iso/initrd" || exit

# A disc that boots: without what Bochs has not as it should be (XSAVEC and XSAVES, the rate of TSC) and what takes long (tests of ciphers).
cp "$to/vmlinuz" "$run/iso/linux"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$run/iso/"
printf '%s\n' 'default linux' 'prompt 0' 'label linux' ' kernel linux' \
    ' append initrd=initrd console=ttyS0 quiet nokaslr mitigations=off rodata=off clearcpuid=321,323 cryptomgr.notests tsc=unstable lpj=1000000 panic=-1' \
    > "$run/iso/isolinux.cfg"
xorriso -as mkisofs -quiet -o "$run/disc" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$run/iso" 2>/dev/null
cat > "$run/bochsrc" << END
config_interface: textconfig
display_library: term
megs: ${MEGABYTES:-512}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_skylake_x, ips=50000000
ata0-master: type=cdrom, path=$run/disc, status=inserted
boot: cdrom
log: $run/log
com1: enabled=1, mode=file, dev=$run/serial
END
echo c > "$run/continue"
TERM=vt100 script -qec "exec bochs -f $run/bochsrc -rc $run/continue" /dev/null < /dev/null > /dev/null 2>&1 &
emulator=$!

# What it says goes to its serial line.
while kill -0 $emulator 2>/dev/null && ! grep -qs '^+ the end' "$run/serial"; do sleep 1; done
tr -d '\r' < "$run/serial" | sed -n '/^+ /,$p' | sed '/^+ the end/,$d'
grep -q '^+ the end' "$run/serial" || { echo "emulate: the machine stopped before the end:"; tail -n 5 "$run/log"; exit 1; } >&2
