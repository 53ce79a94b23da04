/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinctl pins: many of them, in whatever form they come. */
#include "tests/unit/client/pinctl-fixture.h"

/* As the service sends them, text and all; by kinds: a number of pins, or what makes no sense. */
static int list_pins(struct call *call, json_t *params, void *userdata)
{
	const char *kind = json_get_string(params, "kind", "rdma");
	int n = !strcmp(kind, "vfio") ? 40 : 3;
	char text[512];

	if (!strcmp(kind, "xdp"))
		return call_reply(call, json_pack("{s[]}", "pins"));
	if (!strcmp(kind, "vdpa"))
		return call_reply_text(call, "{\"pins\":[{\"id\":}]}", strlen("{\"pins\":[{\"id\":}]}"));
	for (int i = 1; i <= n; i++) {
		snprintf(text, sizeof(text),
			 "{\"more\":[{\"pins\":[1]}],\"pins\":[{\"id\":\"0x%x\",\"kind\":\"%s\",\"device\":"
			 "\"rxe\\u0030\",\"pid\":%d,\"comm\":\"a\\\\x0a\\\"%s\",\"cgroup\":%s,\"bytes\":%d,"
			 "\"uid\":null,\"owner_gone\":%s}]}", i * 7, kind, 50 - i,
			 i == 2 ? "\xe2\x82\xac" : "b", i == 3 ? "null" : "\"/a.slice\"", 4096 * (i % 3),
			 i == 2 ? "true" : "false");
		if (call_reply_continues_text(call, text, strlen(text)) < 0)
			break;
	}
	return call_reply_text(call, "{\"pins\":[]}", strlen("{\"pins\":[]}"));
}

static int sum_pins(struct call *call, json_t *params, void *userdata)
{
	if (!strcmp(json_get_string(params, "kind", ""), "xdp"))
		return call_reply(call, parse("{\"sums\":[],\"omitted\":0,\"pins\":0,\"bytes\":0}"));
	return call_reply(call, parse("{\"sums\":[{\"pid\":7,\"comm\":\"x\",\"cgroup\":\"/a\",\"pins\":24000,\"bytes\":98304000,"
				      "\"distinct_bytes\":98304000,\"oldest_usec\":1},"
				      "{\"pid\":8,\"comm\":\"y\",\"cgroup\":\"/b\",\"pins\":25000,\"bytes\":4096}],"
				      "\"omitted\":5,\"pins\":49005,\"bytes\":98308096}"));
}

static const struct method_param pins_params[] = {
	{ "cgroup", PARAM_STRING, false }, { "pid", PARAM_INT, false },
	{ "kind", PARAM_STRING, false },   { "device", PARAM_STRING, false },
	{ "id", PARAM_STRING, false },	   {},
};

static const struct method_param sum_params[] = {
	{ "by", PARAM_STRING, true },	   { "cgroup", PARAM_STRING, false },
	{ "pid", PARAM_INT, false },	   { "kind", PARAM_STRING, false },
	{ "device", PARAM_STRING, false }, { "id", PARAM_STRING, false },
	{},
};

static const struct method methods[] = {
	{ MANAGER "ListPins", METHOD_MORE, pins_params, list_pins },
	{ MANAGER "SumPins", 0, sum_params, sum_pins },
	{},
};

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

static json_t *printed(void)
{
	json_t *json = json_loads(output, 0, NULL);

	assert_non_null(json);
	return json;
}

static void is_ids(const char *arguments, const char *wanted)
{
	_cleanup_json_ json_t *json = NULL;
	char text[256] = "";
	json_t *pin;
	size_t i;

	assert_int_equal(run(arguments), 0);
	json = printed();
	json_array_foreach (json_object_get(json, "pins"), i, pin) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "",
			 json_get_string(pin, "id", "?"));
		/* what the service does not send is null, and what it sends stays as it is */
		assert_true(json_is_null(json_object_get(pin, "address")));
		assert_true(json_is_null(json_object_get(pin, "uid")));
		assert_string_equal(json_get_string(pin, "device", ""), "rxe0");
	}
	assert_string_equal(text, wanted);
}

static void test_json(void **state)
{
	is_ids("pins -j", "0x7 0xe 0x15");
	is_ids("pins -j --limit 2", "0xe 0x7");
	is_ids("pins -j --sort PID", "0x15 0xe 0x7");
	is_ids("pins -j --sort=-id --limit=1", "0x15");
	is_ids("pins -j --kind xdp", "");
	is_ids("pins -j --kind xdp --limit 5", "");
}

static void test_text(void **state)
{
	EXPECT("pins", 0, "ID   KIND DEVICE PID COMM           CGROUP   SIZE AGE\n",
	       "0xe  rdma rxe0    48 a\\x0a\"\xe2\x82\xac (gone) /a.slice   8K   -\n"
	       "0x7  rdma rxe0    49 a\\x0a\"b        /a.slice   4K   -\n"
	       "0x15 rdma rxe0    47 a\\x0a\"b        -           0   -\n");
	EXPECT("pins -o +uid,gone --limit 1", 0, "AGE UID GONE\n", "  -   - yes\n");
	EXPECT("pins -o PID,ID --sort -PID --no-legend", 0, " 49 0x7\n 48 0xe\n 47 0x15\n");
	EXPECT("pins --sort cgroup -o ID --no-legend", 0, "0x15\n0x7\n0xe\n");
	EXPECT("pins --list-columns", 0, "ID\nKIND\n", "SIZE\n", "RELEASING\n");
	EXPECT("pins --by cgroup --list-columns", 0, "CGROUP\nPINS\n");
}

static void test_wrong(void **state)
{
	EXPECT("pins --limit 0", 2, "not a number of rows, from 1 on: \"0\"");
	EXPECT("pins --limit=-1", 2, "not a number of rows");
	EXPECT("pins --limit=1x", 2, "not a number of rows");
	EXPECT("pins --limit=99999999999999999999", 2, "not a number of rows");
	EXPECT("pins --sort=AGEE", 2, "no column \"AGEE\"; there are: ID KIND");
	EXPECT("pins --sort=-", 2, "no column \"\"");
	EXPECT("pins --sort=", 2, "no column \"\"");
	EXPECT("pins -o +", 2, "no column \"\"");
	EXPECT("pins -o +UIDD", 2, "no column \"UIDD\"");
	EXPECT("pins --by=", 2, "no way to sum up: \"\"; there are process, cgroup, device and kind");
	EXPECT("pins --by=proces", 2, "did you mean process?");
	EXPECT("pins --by=process --sort=DEVICE", 2, "no column \"DEVICE\"");
	EXPECT("pins --kind vdpa", 1, "does not speak pinguard's protocol");
	EXPECT("pins --kind vdpa -j", 1, "does not speak pinguard's protocol");
	EXPECT("events --list-columns", 2, "events has no columns");
}

static void test_by(void **state)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *sum;

	EXPECT("pins --by=process", 0, "PID COMM CGROUP  PINS  SIZE DISTINCT OLDEST\n",
	       "  7 x    /a     24000 93.8M    93.8M", "  8 y    /b     25000    4K        -      -\n",
	       "5 more sums are not listed");
	EXPECT("pins --by=process --sort=-PINS -o PID --no-legend", 0, "  8\n  7\n");
	EXPECT("pins --by=kind --kind=xdp", 0, "");
	assert_int_equal(run("pins --by=process -j --sort=PINS --limit 1"), 0);
	json = printed();
	assert_int_equal(json_array_size(json_object_get(json, "sums")), 1);
	sum = json_array_get(json_object_get(json, "sums"), 0);
	assert_int_equal(json_get_int(sum, "pid", 0), 7);
	assert_true(json_is_null(json_object_get(sum, "device")));
	assert_int_equal(json_get_int(json, "pins", 0), 49005);
}

/* More than a screen: where to look instead. Not in a pipe. */
static void test_screen(void **state)
{
	pinctl_run_on_terminal("pins --kind vfio", 0);
	pinctl_check_width(80);
	assert_non_null(strstr(output, "40 pins; pinctl pins --by=process has their sums"));
	pinctl_run_on_terminal("pins --kind vfio --limit 3", 0);
	assert_null(strstr(output, "--by"));
	assert_non_null(strstr(output, "37 more pins are not shown"));
	assert_int_equal(run("pins --kind vfio"), 0);
	assert_null(strstr(output, "--by"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json), cmocka_unit_test(test_text),
		cmocka_unit_test(test_wrong), cmocka_unit_test(test_by),
		cmocka_unit_test(test_screen),
	};

	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
