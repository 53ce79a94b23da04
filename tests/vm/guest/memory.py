# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory of the tests' owners: of a kind that one asks for, and what it is in."""
import ctypes
import fcntl
import mmap
import os
import struct

PAGE, HUGE_PAGE = 4096, 2 << 20
MAP_HUGETLB = 0x40000
VFIO_TYPE1V2_IOMMU = 3
VFIO_SET_IOMMU, VFIO_GROUP_SET_CONTAINER, VFIO_MAP_DMA, VFIO_UNMAP_DMA = 0x3b66, 0x3b68, 0x3b71, 0x3b72
VFIO_READ_AND_WRITE = 3


def frame(address, pid="self"):
    """The number of the page frame behind an address, None where there is none."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        pagemap.seek(address // PAGE * 8)
        data = pagemap.read(8)
    entry = int.from_bytes(data, "little") if len(data) == 8 else 0
    return entry & (1 << 55) - 1 if entry >> 63 else None


class Memory:
    """Small pages, huge ones ("thp", "hugetlb"), or those of a file; all there."""

    def __init__(self, size, kind="small"):
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        offset = 0
        if kind == "hugetlb":
            self.map = mmap.mmap(-1, size, private | MAP_HUGETLB)
        elif kind in ("small", "thp"):
            self.map = mmap.mmap(-1, size + HUGE_PAGE, private)
            self.map.madvise(mmap.MADV_HUGEPAGE if kind == "thp" else mmap.MADV_NOHUGEPAGE)
            offset = -self.start() % HUGE_PAGE
        else:
            fd = os.open(kind, os.O_RDWR | os.O_CLOEXEC)
            self.map = mmap.mmap(fd, size, mmap.MAP_SHARED)
            os.close(fd)
        self.size, self.address = size, self.start() + offset
        for page in range(offset, offset + size, PAGE):
            self.map[page] = 1

    def start(self):
        return ctypes.addressof(ctypes.c_char.from_buffer(self.map))

    def close(self):
        self.map.close()


class Vfio:
    """Memory that the device with a PCI address can reach, bound to vfio-pci."""
    IOVA = 0x10000000

    def __init__(self, bdf, memory):
        group = os.path.basename(os.readlink(f"/sys/bus/pci/devices/{bdf}/iommu_group"))
        self.size = memory.size
        self.container = os.open("/dev/vfio/vfio", os.O_RDWR | os.O_CLOEXEC)
        self.group = os.open(f"/dev/vfio/{group}", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(self.group, VFIO_GROUP_SET_CONTAINER, struct.pack("i", self.container))
        fcntl.ioctl(self.container, VFIO_SET_IOMMU, VFIO_TYPE1V2_IOMMU)
        fcntl.ioctl(self.container, VFIO_MAP_DMA,
                    struct.pack("IIQQQ", 32, VFIO_READ_AND_WRITE, memory.address, self.IOVA, self.size))

    def close(self):
        fcntl.ioctl(self.container, VFIO_UNMAP_DMA, struct.pack("IIQQ", 24, 0, self.IOVA, self.size))
        os.close(self.group)
        os.close(self.container)
