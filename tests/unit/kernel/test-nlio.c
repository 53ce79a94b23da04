/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that are read from within the handler of others. */
#include <linux/rtnetlink.h>
#include <netlink/socket.h>

#include "tests/unit/unit.h"

#include "daemon/kernel/nlio.h"

struct reader {
	struct nl_sock *sk;
	struct reader *inner; /* read from the handler */
	unsigned int messages;
	int inner_result;
};

/* All links: the kernel answers while it is asked. */
static void ask(struct reader *r)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	_cleanup_(nlmsg_freep) struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);

	assert_int_equal(nlio_socket(NETLINK_ROUTE, &r->sk), 0);
	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)&info, sizeof(info), NLMSG_ALIGNTO), 0);
	assert_int_equal(nlio_send(r->sk, msg), 0);
}

static int on_message(const struct nlmsghdr *nlh, void *userdata)
{
	_cleanup_(freep) void *copy = malloc(nlh->nlmsg_len);
	struct reader *r = userdata;

	assert_non_null(copy);
	memcpy(copy, nlh, nlh->nlmsg_len);
	r->messages++;
	if (r->inner && r->messages == 1)
		r->inner_result = nlio_recv(nl_socket_get_fd(r->inner->sk), on_message, r->inner);
	assert_memory_equal(copy, nlh, ((struct nlmsghdr *)copy)->nlmsg_len);
	return 0;
}

static void test_nested(void **state)
{
	struct reader readers[NLIO_DEPTH_MAX + 1] = {};

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		ask(&readers[i]);
		readers[i].inner = i + 1 < ARRAY_SIZE(readers) ? &readers[i + 1] : NULL;
	}
	assert_int_equal(nlio_recv(nl_socket_get_fd(readers[0].sk), on_message, &readers[0]), 0);
	for (size_t i = 0; i < NLIO_DEPTH_MAX; i++) {
		assert_true(readers[i].messages > 0);
		assert_int_equal(readers[i].inner_result, i + 1 < NLIO_DEPTH_MAX ? 0 : -ELOOP);
	}
	assert_int_equal(readers[NLIO_DEPTH_MAX].messages, 0);

	/* And it is as before afterwards. */
	assert_int_equal(nlio_recv(nl_socket_get_fd(readers[NLIO_DEPTH_MAX].sk), on_message,
				   &readers[NLIO_DEPTH_MAX]), 0);
	assert_true(readers[NLIO_DEPTH_MAX].messages > 0);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		nl_socket_free(readers[i].sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nested) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
