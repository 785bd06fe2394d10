#!/bin/sh
# Runs a command as root in another Debian system, which packages are tried in: in-root.sh LAYERS CHANGES SHARED COMMAND...
#
# LAYERS   folders that make up the system, the uppermost first, with colons between them; they stay as they are
# CHANGES  a folder that keeps what the command changes, for the next one
# SHARED   a folder that is seen on both sides under the same path, or -
#
# The network, the screen and the devices are this machine's. All mounts are the command's own and end with it.
set -e
if [ -z "$RABTA_IN_ROOT" ]; then
    RABTA_IN_ROOT=1 exec unshare --mount --propagation private "$0" "$@"
fi
unset RABTA_IN_ROOT
layers=$1 changes=$2 shared=$3
shift 3
mkdir -p "$changes/upper" "$changes/work" "$changes/root"
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$changes/upper,workdir=$changes/work" "$changes/root"
cd "$changes/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
cp /etc/resolv.conf etc/resolv.conf
if [ "$shared" != - ]; then
    mkdir -p ".$shared"
    mount --bind "$shared" ".$shared"
fi
exec env -u LD_LIBRARY_PATH PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot . "$@"
