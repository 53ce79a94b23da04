/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/varlink.h"
#include "libpinguard/message.h"

#define PIN \
	"{\"id\":\"0x1f\",\"kind\":\"rdma\",\"device\":\"rxe0\"," \
	"\"address\":\"0x7f0000\",\"bytes\":4096}"
#define REQUEST_OF(token, mode, reason, deadline, pins)                                          \
	"{\"parameters\":{\"request\":{\"token\":" token ",\"mode\":" mode ",\"reason\":" reason \
	",\"deadline_usec\":" deadline ",\"reminder\":false,\"pins\":" pins                      \
	"}},\"continues\":true}"
#define REQUEST(pins) REQUEST_OF("\"ab12\"", "\"sync\"", "\"drain\"", "77", pins)

static int parse(const char *text, struct notice *ret)
{
	return notice_parse(text, strlen(text), ret);
}

static void test_request(void **state)
{
	struct notice notice;
	const struct pinguard_pin *pin;
	uint64_t address;

	assert_int_equal(
		parse(REQUEST("[" PIN ",{\"id\":\"0xffffffffffffffff\",\"kind\":\"io_uring\","
			      "\"device\":null,\"address\":null,\"bytes\":9223372036854775807}]"),
		      &notice),
		0);
	assert_non_null(notice.request);
	assert_string_equal(notice.withdrawn, "");
	assert_string_equal(pinguard_request_token(notice.request), "ab12");
	assert_int_equal(pinguard_request_mode(notice.request), PINGUARD_REQUEST_SYNC);
	assert_int_equal(pinguard_request_reason(notice.request), PINGUARD_REQUEST_DRAIN);
	assert_int_equal(pinguard_request_deadline_usec(notice.request), 77);
	assert_int_equal(pinguard_request_is_reminder(notice.request), 0);
	assert_int_equal(pinguard_request_n_pins(notice.request), 2);

	pin = pinguard_request_pin(notice.request, 0);
	assert_int_equal(pinguard_pin_kind(pin), PINGUARD_PIN_RDMA);
	assert_int_equal(pinguard_pin_id(pin), 0x1f);
	assert_string_equal(pinguard_pin_device(pin), "rxe0");
	assert_int_equal(pinguard_pin_address(pin, &address), 0);
	assert_int_equal(address, 0x7f0000);
	assert_int_equal(pinguard_pin_bytes(pin), 4096);

	pin = pinguard_request_pin(notice.request, 1);
	assert_int_equal(pinguard_pin_kind(pin), PINGUARD_PIN_IO_URING);
	assert_true(pinguard_pin_id(pin) == UINT64_MAX);
	assert_null(pinguard_pin_device(pin));
	assert_int_equal(pinguard_pin_address(pin, &address), -ENODATA);
	assert_int_equal(address, 0x7f0000);
	assert_true(pinguard_pin_bytes(pin) == INT64_MAX);
	assert_null(pinguard_request_pin(notice.request, 2));
	notice_done(&notice);
}

#define FAILED(failures)                                                               \
	"{\"parameters\":{\"request\":{\"token\":\"ab12\",\"mode\":\"async\","            \
	"\"reason\":\"memory_failure\",\"deadline_usec\":77,\"reminder\":true,"           \
	"\"pins\":[" PIN "],\"failures\":" failures "}},\"continues\":true}"

static void test_failures(void **state)
{
	const struct pinguard_failure *failure;
	struct notice notice;
	uint64_t address = 1;

	assert_int_equal(parse(FAILED("[{\"pin\":\"0x1f\",\"address\":\"0x7f1000\",\"bytes\":4096,"
				      "\"data_lost\":true},{\"pin\":\"0x20\",\"address\":null,"
				      "\"bytes\":8192,\"data_lost\":false}]"), &notice), 0);
	assert_int_equal(pinguard_request_reason(notice.request), PINGUARD_REQUEST_MEMORY_FAILURE);
	assert_int_equal(pinguard_request_n_failures(notice.request), 2);
	failure = pinguard_request_failure(notice.request, 1);
	assert_int_equal(pinguard_failure_pin(failure), 0x20);
	assert_int_equal(pinguard_failure_address(failure, &address), -ENODATA);
	assert_int_equal(address, 1);
	assert_int_equal(pinguard_failure_bytes(failure), 8192);
	assert_int_equal(pinguard_failure_data_lost(failure), 0);
	failure = pinguard_request_failure(notice.request, 0);
	assert_int_equal(pinguard_failure_pin(failure), 0x1f);
	assert_int_equal(pinguard_failure_address(failure, &address), 0);
	assert_int_equal(address, 0x7f1000);
	assert_int_equal(pinguard_failure_bytes(failure), 4096);
	assert_int_equal(pinguard_failure_data_lost(failure), 1);
	assert_null(pinguard_request_failure(notice.request, 2));
	notice_done(&notice);

	/* none, as from an older service, or for another reason */
	assert_int_equal(parse(REQUEST("[" PIN "]"), &notice), 0);
	assert_int_equal(pinguard_request_n_failures(notice.request), 0);
	assert_null(pinguard_request_failure(notice.request, 0));
	notice_done(&notice);
	assert_int_equal(parse(FAILED("null"), &notice), 0);
	notice_done(&notice);
}

static void test_bad_failures(void **state)
{
	static const char *const bad[] = {
		FAILED("{}"),
		FAILED("[1]"),
		FAILED("[{\"pin\":\"0x1f\",\"address\":null,\"bytes\":4096}]"),
		FAILED("[{\"pin\":\"0x1f\",\"address\":null,\"bytes\":-1,\"data_lost\":true}]"),
		FAILED("[{\"pin\":31,\"address\":null,\"bytes\":1,\"data_lost\":true}]"),
		FAILED("[{\"pin\":\"0x1\",\"address\":\"1\",\"bytes\":1,\"data_lost\":true}]"),
	};
	struct notice notice = {};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(bad[i], &notice), -EBADMSG);
		assert_null(notice.request);
	}
}

/* Every name that the interface has, and one that a later one may have. */
static void test_names(void **state)
{
	static const char *const kinds[] = { "later",	 "rdma", "vfio", "iommufd",
					     "io_uring", "xdp",	 "vdpa", "udmabuf" };
	static const char *const modes[] = { "later", "async", "sync" };
	static const char *const reasons[] = { "later",		"administrator",  "drain",
					       "quota",		"device_removal", "memory_offline",
					       "memory_failure" };
	struct notice notice;
	char text[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(text, sizeof(text),
			 REQUEST_OF("\"t\"", "\"%s\"", "\"%s\"", "0",
				    "[{\"id\":\"0x1\",\"kind\":\"%s\",\"bytes\":1}]"),
			 modes[i % ARRAY_SIZE(modes)], reasons[i % ARRAY_SIZE(reasons)], kinds[i]);
		assert_int_equal(parse(text, &notice), 0);
		assert_int_equal(pinguard_request_mode(notice.request), i % ARRAY_SIZE(modes));
		assert_int_equal(pinguard_request_reason(notice.request), i % ARRAY_SIZE(reasons));
		assert_int_equal(pinguard_pin_kind(pinguard_request_pin(notice.request, 0)), i);
		notice_done(&notice);
	}
}

static void test_device_is_raw(void **state)
{
	struct notice notice;

	assert_int_equal(
		parse(REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"device\":\"a\\\\x1b\\\\\\\\b\","
			      "\"bytes\":0}]"),
		      &notice),
		0);
	assert_string_equal(pinguard_pin_device(pinguard_request_pin(notice.request, 0)),
			    "a\x1b\\b");
	notice_done(&notice);
}

static void test_withdrawn(void **state)
{
	struct notice notice;

	assert_int_equal(
		parse("{\"parameters\":{\"withdrawn\":\"ab12\",\"request\":null},"
		      "\"continues\":true}",
		      &notice),
		0);
	assert_null(notice.request);
	assert_string_equal(notice.withdrawn, "ab12");
	/* what registers, in its forms, and what a later service may add */
	assert_int_equal(parse("{\"continues\":true}", &notice), 0);
	assert_int_equal(parse("{\"parameters\":{\"later\":[1]},\"continues\":true}", &notice), 0);
	assert_null(notice.request);
	assert_string_equal(notice.withdrawn, "");
}

#define TOKEN_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"[]",
		"null",
		"{\"parameters\":[]}",
		"{\"error\":1}",
		"{\"a\":1,\"a\":2}",
		"{\"parameters\":{\"withdrawn\":1},\"continues\":true}",
		"{\"parameters\":{\"withdrawn\":\"\"},\"continues\":true}",
		"{\"parameters\":{\"request\":1},\"continues\":true}",
		"{\"parameters\":{\"request\":{}},\"continues\":true}",
		REQUEST("null"),
		REQUEST("{}"),
		REQUEST("[1]"),
		REQUEST("[{}]"),
		REQUEST("[" PIN ",{}]"),
		REQUEST("[{\"id\":\"1f\",\"kind\":\"rdma\",\"bytes\":1}]"),
		REQUEST("[{\"id\":\"0x10000000000000000\",\"kind\":\"rdma\",\"bytes\":1}]"),
		REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"bytes\":-1}]"),
		REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"bytes\":1.5}]"),
		REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"bytes\":99999999999999999999}]"),
		REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"bytes\":1,\"device\":7}]"),
		REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"bytes\":1,\"device\":\"\\\\\"}]"),
		REQUEST("[{\"id\":\"0x1\",\"kind\":\"rdma\",\"bytes\":1,\"address\":7}]"),
		REQUEST_OF("\"\"", "\"sync\"", "\"drain\"", "1", "[]"),
		REQUEST_OF("\"a b\"", "\"sync\"", "\"drain\"", "1", "[]"),
		REQUEST_OF("\"\\u001b\"", "\"sync\"", "\"drain\"", "1", "[]"),
		REQUEST_OF("\"" TOKEN_64 "0\"", "\"sync\"", "\"drain\"", "1", "[]"),
		REQUEST_OF("7", "\"sync\"", "\"drain\"", "1", "[]"),
		REQUEST_OF("\"t\"", "\"sync\"", "\"drain\"", "-1", "[]"),
		REQUEST_OF("\"t\"", "\"sync\"", "\"drain\"", "\"1\"", "[]"),
	};
	struct notice notice = {};
	char deep[100];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], &notice) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
		assert_null(notice.request);
	}
	memset(deep, '[', sizeof(deep));
	assert_int_equal(notice_parse(deep, sizeof(deep), &notice), -ELOOP);
	/* the longest token is fine */
	assert_int_equal(parse(REQUEST_OF("\"" TOKEN_64 "\"", "1", "null", "1", "[]"), &notice), 0);
	assert_int_equal(pinguard_request_mode(notice.request), PINGUARD_REQUEST_MODE_UNKNOWN);
	notice_done(&notice);
}

static void test_errors(void **state)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {
		{ "org.pinguard.Owner.AlreadyRegistered", -EALREADY },
		{ "org.pinguard.Owner.NotSupported", -EOPNOTSUPP },
		{ "org.pinguard.Owner.LimitExceeded", -EUSERS },
		{ "org.pinguard.Manager.LimitExceeded", -EUSERS },
		{ "org.pinguard.Owner.SystemError", -EPROTO },
		/* would mean something else to the caller */
		{ "org.pinguard.Owner.NoSuchToken", -EPROTO },
		{ "org.pinguard.Owner.StillPinned", -EPROTO },
		{ "org.varlink.service.PermissionDenied", -EACCES },
		{ "org.varlink.service.InterfaceNotFound", -EOPNOTSUPP },
		{ "org.varlink.service.InvalidParameter", -EPROTO },
		{ "LimitExceeded", -EPROTO },
		{ "", -EPROTO },
	};
	struct notice notice;
	char text[200];

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		snprintf(text, sizeof(text), "{\"error\":\"%s\",\"parameters\":{}}",
			 errors[i].name);
		assert_int_equal(parse(text, &notice), errors[i].error);
	}
	assert_int_equal(parse("{\"parameters\":{}}", &notice), -ECONNRESET);
}

static int judge(const char *text, struct verdict *ret)
{
	return verdict_parse(text, strlen(text), ret);
}

static void test_verdict(void **state)
{
	struct verdict v;

	assert_int_equal(judge("{\"parameters\":{}}", &v), 0);
	assert_int_equal(v.error, 0);
	assert_int_equal(judge("{}", &v), 0);
	assert_int_equal(v.error, 0);
	assert_int_equal(judge("{\"error\":\"org.pinguard.Owner.StillPinned\","
			       "\"parameters\":{\"pins\":2,\"bytes\":8192}}",
			       &v),
			 0);
	assert_int_equal(v.error, -EBUSY);
	assert_int_equal(v.pins_left, 2);
	assert_int_equal(v.bytes_left, 8192);
	assert_int_equal(judge("{\"error\":\"org.pinguard.Owner.NoSuchToken\","
			       "\"parameters\":{\"token\":\"t\"}}",
			       &v),
			 0);
	assert_int_equal(v.error, -ENOENT);
	assert_int_equal(v.pins_left, 0);
	assert_int_equal(judge("{\"error\":\"org.pinguard.Manager.LimitExceeded\"}", &v), 0);
	assert_int_equal(v.error, -EUSERS);
	assert_int_equal(judge("{\"error\":\"org.varlink.service.PermissionDenied\"}", &v), 0);
	assert_int_equal(v.error, -EPROTO);

	v.error = 7;
	assert_int_equal(judge("{\"parameters\":{},\"continues\":true}", &v), -EBADMSG);
	assert_int_equal(judge("{\"error\":\"org.pinguard.Owner.StillPinned\"}", &v), -EBADMSG);
	assert_int_equal(judge("{\"error\":\"org.pinguard.Owner.StillPinned\","
			       "\"parameters\":{\"pins\":-1,\"bytes\":1}}",
			       &v),
			 -EBADMSG);
	assert_int_equal(judge("no", &v), -EBADMSG);
	assert_int_equal(v.error, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_bad_failures),	      cmocka_unit_test(test_names),
		cmocka_unit_test(test_device_is_raw), cmocka_unit_test(test_withdrawn),
		cmocka_unit_test(test_bad),	      cmocka_unit_test(test_errors),
		cmocka_unit_test(test_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
