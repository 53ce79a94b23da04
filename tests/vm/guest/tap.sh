# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest's tests share: TAP, waiting, owners of pins. A test is a bash
# script that sources this file and ends with done_testing.
# shellcheck shell=bash

set -u
vm=/usr/lib/pinguard-vm
PATH=$vm:$PATH
test_count=0
test_failures=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# result STATUS DESCRIPTION
result() {
	test_count=$((test_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $test_count - $2"
	else
		test_failures=$((test_failures + 1))
		echo "not ok $test_count - $2"
	fi
}

# check DESCRIPTION COMMAND...: COMMAND succeeds. Its output is shown if not.
check() {
	local description=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	result "$status" "$description"
	[ "$status" -eq 0 ] || printf '%s: status %s\n%s\n' "$*" "$status" "$output" | sed 's/^/# /'
}

# is DESCRIPTION GOT WANTED
is() {
	[ "$2" = "$3" ]
	result $? "$1"
	[ "$2" = "$3" ] || printf 'got:    %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /'
}

# like DESCRIPTION GOT REGEX
like() {
	[[ $2 =~ $3 ]]
	result $? "$1"
	[[ $2 =~ $3 ]] || printf 'got:    %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /'
}

# fails DESCRIPTION STATUS REGEX COMMAND...: COMMAND ends with STATUS and says
# something that matches REGEX on its standard error.
fails() {
	local description=$1 wanted=$2 regex=$3 output status=0
	shift 3
	output=$("$@" 2>&1 >/dev/null) || status=$?
	[ "$status" -eq "$wanted" ] && [[ $output =~ $regex ]]
	result $? "$description"
	[ "$status" -eq "$wanted" ] && [[ $output =~ $regex ]] ||
		printf '%s\nstatus %s, wanted %s\ngot:    %s\nwanted: %s\n' \
			"$*" "$status" "$wanted" "$output" "$regex" | sed 's/^/# /'
}

# eventually COMMAND...: wait until COMMAND succeeds. A minute is long, but not where
# several guests share two processors.
eventually() {
	local end=$((SECONDS + 180))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

done_testing() {
	echo "1..$test_count"
	[ "$test_failures" -eq 0 ]
	exit
}

# bail REASON: the test cannot go on.
bail() {
	result 1 "$*"
	done_testing
}

# rxe0, a soft-RoCE device with the address 10.9.9.1.
rdma_device() {
	[ ! -e /sys/class/infiniband/rxe0 ] || return 0
	ip link add d0 type dummy && ip addr add 10.9.9.1/24 dev d0 && ip link set d0 up &&
		rdma link add rxe0 type rxe netdev d0 && eventually test -e /dev/infiniband/uverbs0
}

# plug NAME ADDRESS: the machine gets a DIMM of 256 MiB there. Its memory blocks are
# of node 1, and nobody has used them: nothing of the kernel's is in them.
plug() {
	qmp object-add '{"qom-type": "memory-backend-ram", "id": "'"$1"'-ram", "size": 268435456}' >/dev/null &&
		qmp device_add '{"driver": "pc-dimm", "id": "'"$1"'", "memdev": "'"$1"'-ram", "node": 1, "addr": '"$2"'}' >/dev/null &&
		eventually test -e "/sys/devices/system/memory/$(block_at "$2")" &&
		eventually test -e "/sys/devices/system/memory/$(block_at $(($2 + (128 << 20))))"
}

# block_at ADDRESS: the name of its memory block.
block_at() {
	echo "memory$(($1 / 0x$(cat /sys/devices/system/memory/block_size_bytes)))"
}

# machine_check corrected|uncorrected ADDRESS: one of memory that is made up. It
# goes the way of a real one, to all who want to know of it.
machine_check() {
	local inject=/sys/kernel/debug/mce-inject status=0x1400000000080080
	[ "$1" = corrected ] || status=0x3400000000080080
	echo sw >$inject/flags
	echo "$2" >$inject/addr
	echo 0x8c >$inject/misc # a physical address, of 4 KiB
	echo $status >$inject/status
	echo 4 >$inject/bank
}

# vdpa_device NAME: a simulated network device, for user space.
vdpa_device() {
	local drivers=/sys/bus/vdpa/drivers
	vdpa dev add name "$1" mgmtdev vdpasim_net && { [ ! -e $drivers/virtio_vdpa/"$1" ] || echo "$1" >$drivers/virtio_vdpa/unbind; } &&
		{ [ -e $drivers/vhost_vdpa/"$1" ] || echo "$1" >$drivers/vhost_vdpa/bind; } && eventually test -e /dev/vhost-vdpa-0
}

# module NAME...: loads those that the kernel has not built in.
module() {
	modprobe -qa "$@" || true
}

# vfio_device VENDOR:DEVICE (hexadecimal): bind it to vfio-pci; sets $bdf.
vfio_device() {
	local device
	module vfio-pci
	for device in /sys/bus/pci/devices/*; do
		[ "$(cat "$device/vendor"):$(cat "$device/device")" = "0x${1%:*}:0x${1#*:}" ] || continue
		bdf=${device##*/}
		echo vfio-pci >"$device/driver_override"
		[ ! -e "$device/driver" ] || echo "$bdf" >"$device/driver/unbind"
		echo "$bdf" >/sys/bus/pci/drivers_probe
		return
	done
	return 1
}

# start NAME SLICE COMMAND...: run an owner as the unit NAME.service in SLICE
# until it is stopped, without RLIMIT_MEMLOCK, its standard input open.
start() {
	local name=$1 slice=$2
	shift 2
	rm -f "$scratch/$name" "$scratch/$name.stdin"
	mkfifo "$scratch/$name.stdin"
	systemd-run -q --unit="$name" --slice="$slice" -p LimitMEMLOCK=infinity \
		-p StandardOutput="file:$scratch/$name" -p StandardError="file:$scratch/$name.stderr" \
		-p CollectMode=inactive-or-failed -E PATH="$PATH" \
		sh -c 'exec "$@" <>"$0"' "$scratch/$name.stdin" "$@"
}

# owner NAME SLICE COMMAND...: start, and wait for the first line of output,
# which is then in $scratch/NAME.
owner() {
	start "$@" && eventually grep -q . "$scratch/$1"
}

owner_pid() {
	systemctl show -P MainPID "$1.service"
}

release() {
	systemctl stop "$@"
}

# lines NAME REGEX: how many the owner has printed that match.
lines() {
	grep -csE "$2" "$scratch/$1"
}

# says NAME REGEX [N]: so many, one at least.
says() {
	[ "$(lines "$1" "$2")" -ge "${3:-1}" ]
}

# order NAME REGEX WORD...: a command for an owner-raw, and wait for one more line.
order() {
	local before
	before=$(lines "$1" "$2")
	echo "${@:3}" >"$scratch/$1.stdin"
	eventually says "$1" "$2" $((before + 1)) || bail "$1 does not ${*:3}"
}

# said NAME REGEX: the last line that matches.
said() {
	grep -E "$2" "$scratch/$1" | tail -n 1
}

# field NAME LINE: what is behind NAME= in it.
field() {
	sed -nE "s/.*\b$1=([^ ]*).*/\1/p" <<<"$2"
}

# Unit NAME is unloaded: ended, and not failed.
gone() {
	[ "$(systemctl show -P LoadState "$1.service")" = not-found ]
}

# listening PORT
listening() {
	ss -tln | grep -q ":$1 "
}

# misc CGROUP current|max|peak|events|events.local: its figure for pins.
misc() {
	sed -nE 's/^pinned(\.max)? //p' "/sys/fs/cgroup$1/misc.$2"
}

# status COMMAND...: prints its exit status; its output is dropped.
status() {
	"$@" >/dev/null 2>&1
	echo $?
}
