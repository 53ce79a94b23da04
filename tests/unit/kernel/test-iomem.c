/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/iomem, as machines have it and as none has. */
#include <stdlib.h>

#include "tests/unit/unit.h"

#include "daemon/kernel/iomem.h"

static const char text[] =
	"00000000-00000fff : Reserved\n"
	"00001000-0009fbff : System RAM\n"
	"00100000-7ffdffff : System RAM\n"
	"  01000000-02000000 : Kernel code\n"
	"  02200000-02bfffff : Kernel rodata\n"
	"80000000-febfffff : PCI Bus 0000:00\n"
	"  fd000000-fdffffff : 0000:00:02.0\n"
	"    fd000000-fd0fffff : dri\xc3\xa9ver\\x\n"
	"100000000-13fffffff : Persistent Memory\n"
	"  100000000-13fffffff : namespace0.0\n"
	"200000000-2ffffffff : PCI Bus 0000:00";

static void check(uint64_t phys, const char *outer, const char *inner)
{
	struct iomem iomem;

	assert_int_equal(iomem_parse(text, phys, &iomem), 0);
	assert_string_equal(iomem.outer, outer);
	assert_string_equal(iomem.inner, inner);
	assert_int_equal(iomem.last, 0x13fffffff);
}

static void test_parse(void **state)
{
	check(0, "Reserved", "Reserved");
	check(0x9fbff, "System RAM", "System RAM");
	check(0x9fc00, "", "");
	check(0x1000000, "System RAM", "Kernel code");
	check(0xfd100000, "PCI Bus 0000:00", "0000:00:02.0");
	check(0xfd000000, "PCI Bus 0000:00", "dri??ver?x");
	check(0x100000000, "Persistent Memory", "namespace0.0");
	check(0x2ffffffff, "PCI Bus 0000:00", "PCI Bus 0000:00");
	check(UINT64_MAX, "", "");
}

static const char *const nothing[] = {
	"", "\n\n", "rubbish", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n",
	"1000-fff : System RAM\n", "1000 - 1fff : x\n", "1000-1fff: x\n", "  \n -\n", "1-", "1-2 : ",
	"5-6 :\n7",
};

static void test_nothing(void **state)
{
	struct iomem iomem;

	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		if (iomem_parse(nothing[i], 0, &iomem) != (i == 9 ? 0 : -ENODATA))
			fail_msg("\"%s\" says something", nothing[i]);
	assert_int_equal(iomem_read(-1, 0, &iomem), -EBADF);
}

/* It is read from its beginning each time. */
static void test_read(void **state)
{
	char path[] = "/tmp/pinguard-iomem-XXXXXX";
	_cleanup_(closep) int fd = mkstemp(path);
	struct iomem iomem;
	uint64_t flags = 0;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(iomem_read(fd, 0x1000, &iomem), 0);
		assert_string_equal(iomem.outer, "System RAM");
	}
	assert_int_equal(kpageflags_read(fd, 1, &flags), 0);
	assert_memory_equal(&flags, text + 8, 8);
	assert_int_equal(kpageflags_read(fd, 1000, &flags), -ENODATA);
	assert_int_equal(kpageflags_read(-1, 0, &flags), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
