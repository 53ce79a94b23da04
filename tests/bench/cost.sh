# SPDX-License-Identifier: GPL-2.0-or-later
# Shell functions that tests/bench/kernel and tests/bench/probe share: what calls cost
# the caller, in instructions, in a guest that counts them.
# shellcheck shell=bash

# Who pins how much, as far as kprobes see it.
watcher='
kprobe:ib_umem_get { @asked[tid] = arg2 }
kretprobe:ib_umem_get /@asked[tid]/ { @bytes[cgroup] = sum(@asked[tid]); delete(@asked[tid]) }
kprobe:ib_umem_release { @released[cgroup] = count() }
kprobe:vfio_iommu_type1_ioctl, kprobe:io_pin_pages, kprobe:xdp_umem_create { @calls[cgroup, probe] = count() }
interval:s:1 { printf("watching\n") }
'

bpftrace_pid=''
stop_bpftrace() {
	[ -z "$bpftrace_pid" ] || { kill "$bpftrace_pid" && wait "$bpftrace_pid" || true; }
	bpftrace_pid=''
}

start_bpftrace() {
	bpftrace -e "$watcher" >"$scratch/watched" 2>&1 &
	bpftrace_pid=$!
	eventually grep -q watching "$scratch/watched" || { cat "$scratch/watched" && return 1; }
}

# measure WHO...: in the guest, while each of them watches: what "watch_calls WHO" of the
# caller begins; in the output it is the "service".
measure() {
	local i call who direct
	. /usr/lib/pinguard-vm/tap.sh
	rdma_device || { echo "no rxe0" && return 1; }
	vfio_device 8086:10d3 || { echo "no device for VFIO" && return 1; }
	# A disk is waited for, and the host's time is in that; memory is not.
	direct=$(find /dev -maxdepth 1 -name 'pmem*' | head -n 1)
	[ -n "$direct" ] || { echo "no persistent memory" && return 1; }
	for who; do
		watch_calls "$who"
		for ((i = 0; i < ${PINGUARD_PROCESSES-6}; i++)); do
			for call in "mr rxe0 4096" "mr rxe0 $((4 << 20))" "vfio $bdf $((2 << 20))" "uring 65536" \
				"xdp $((4 << 20))" "read $direct" fork; do
				# shellcheck disable=SC2086
				setarch -R taskset -c 0 kernel-cost $call |
					jq -c --arg service "$who" '. + {service: $service}' || true
			done
		done
	done
}

# in_guest FILE KERNEL [ARGUMENT...]: the calling script in a guest; its figures in FILE.
in_guest() {
	local file=$1 kernel=$2 log=$1.log
	shift 2
	"$top/tests/vm/run" --kernel="$kernel" --icount "$@" --copy="$top/tests/bench/cost.sh" \
		--timeout=7200 "$0" >"$log" </dev/null || { cat "$log" && return 1; }
	grep '^{' "$log" | jq -c --arg kernel "$kernel" '. + {kernel: $kernel}' | tee "$file"
}

# least FILE WHAT BYTES SERVICE
least() {
	jq -s --arg what "$2" --argjson bytes "$3" --arg service "$4" \
		'map(select(.what == $what and .bytes == $bytes and .service == $service).instructions) | min' "$1"
}

ratio() {
	jq -n "$1 / $2 * 1000 | round / 1000"
}

# rows: what "row TITLE WHAT BYTES" of the caller prints, for each call.
rows() {
	row "ibv_reg_mr + dereg, 4 KiB" mr 4096
	row "ibv_reg_mr + dereg, 4 MiB" mr $((4 << 20))
	row "VFIO map + unmap, 2 MiB" vfio $((2 << 20))
	row "io_uring buffer of 64 KiB" uring 65536
	row "AF_XDP umem of 4 MiB" xdp $((4 << 20))
	row "O_DIRECT read of 4 KiB (pmem)" read 4096
	row "fork + exit" fork 0
}

# in_table WITHOUT FIGURE...: cells of a row, the first one and the others with their ratios.
in_table() {
	local without=$1 figure
	printf ' %10s' "$without"
	shift
	for figure; do
		printf ' %10s %7s' "$figure" "$(ratio "$figure" "$without")"
	done
	echo
}
