/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinctl failures, classify, who and events: memory that fails and what it is; answers that leave some out. */
#include "tests/unit/client/pinctl-fixture.h"

#define DAX_PLACE                                                                                 \
	"{\"address\":\"0x140001000\",\"class\":\"device_dax\",\"class_source\":\"kernel\",\"why\":"  \
	"\"it is in the data of a device-dax device that the kernel has a memory map of\",\"page_flags\":"      \
	"[\"reserved\",\"hwpoison\"],\"poisoned\":true,\"online\":null,\"node\":0,\"region\":"         \
	"\"region0\",\"namespace\":\"namespace0.0\",\"dax\":\"dax0.0\",\"offset\":4096,\"bad\":true,"   \
	"\"dimms\":[{\"name\":\"nmem0\",\"handle\":\"0x1\",\"serial\":\"0x2a\",\"health\":\"ok\"},"      \
	"{\"name\":\"nmem1\",\"handle\":\"0x2\",\"serial\":null}]}"
#define RAM_PLACE                                                                                 \
	"{\"address\":\"0x8000000\",\"class\":\"system_ram\",\"class_source\":\"proc\",\"why\":"      \
	"\"online\",\"page_flags\":[],\"poisoned\":false,\"memory_block\":\"memory33\",\"online\":"    \
	"false,\"node\":1,\"dimms\":[]}"
#define OWNER(pid, comm)                                                                       \
	"{\"pid\":" #pid ",\"comm\":\"" comm "\",\"uid\":0,\"cgroup\":\"/a\",\"pin\":\"0x1\",\"kind\":" \
	"\"rdma\",\"device\":\"rxe0\",\"address\":\"0x7f0000001000\",\"bytes\":4096,\"registered\":true}"
#define FIRST                                                                                   \
	"{\"id\":7,\"time_usec\":1000000,\"last_usec\":2000000,\"count\":1,\"kind\":\"uncorrected\","  \
	"\"action\":\"dirty page\",\"result\":\"failed\",\"state\":\"isolated\",\"ended_usec\":6000000," \
	"\"place\":" RAM_PLACE ",\"owners\":[],\"owners_omitted\":0}"
/* a process with two pins is one owner */
#define SECOND                                                                                  \
	"{\"id\":8,\"time_usec\":61000000,\"last_usec\":61000000,\"count\":12,\"kind\":\"soft_offline\"," \
	"\"action\":\"dax\",\"result\":\"ignored\",\"state\":\"unpoisoned\",\"place\":" DAX_PLACE      \
	",\"owners\":[" OWNER(4194301, "mr\\\\x1b") "," OWNER(4194301, "mr\\\\x1b") ","                \
	OWNER(2, "qemu") "," OWNER(3, "c") "," OWNER(4, "d") "],\"owners_omitted\":2,\"token\":\"0123\"}"

/* --- the server --- */

static int list_failures(struct call *call, json_t *params, void *userdata)
{
	switch (json_get_int(params, "since_usec", -1)) {
	case 0:
		return call_reply(call, parse("{\"failures\":[" FIRST "," SECOND "],\"unseen\":3}"));
	case 1000000:
		return call_reply(call, parse("{\"failures\":[" FIRST "],\"unseen\":1}"));
	case 2000000:
		return call_reply(call, parse("{\"failures\":[],\"unseen\":0}"));
	/* what no service should send */
	case 4000000:
		return call_reply(call, parse("{\"failures\":[\"x\",{\"place\":[],\"owners\":{},\"count\":"
					      "\"many\"},{\"place\":{\"dimms\":\"x\"},\"owners\":[1,{}]}],"
					      "\"unseen\":\"many\"}"));
	default:
		return call_error_denied(call);
	}
}

static int classify(struct call *call, json_t *params, void *userdata)
{
	const char *target = json_get_string(params, "target", "");

	if (!strcmp(target, "0x140001000"))
		return call_reply(call, parse("{\"place\":" DAX_PLACE "}"));
	if (!strcmp(target, "pfn:0x8000"))
		return call_reply(call, parse("{\"place\":" RAM_PLACE "}"));
	if (!strcmp(target, "pfn:1"))
		return call_reply(call, parse("{\"place\":{\"address\":\"0x1000\",\"class\":\"none\","
					      "\"pci\":\"0000:00:04.0\"}}"));
	if (!strcmp(target, "0x3"))
		return call_reply(call, parse("{\"place\":{\"address\":3,\"page_flags\":[4,{}],\"dimms\":[5]}}"));
	if (!strcmp(target, "0x2"))
		return call_reply(call, parse("{}"));
	return call_error(call, MANAGER "InvalidTarget",
			  json_pack("{ssss}", "target", target, "reason", "it is no address"));
}

static int who(struct call *call, json_t *params, void *userdata)
{
	const char *target = json_get_string(params, "target", "");

	if (!strcmp(target, "rxe0"))
		return call_reply(call, parse("{\"target\":\"rxe0\",\"ranges\":[],\"places\":[],\"pins\":"
					      "[{\"id\":\"0x1\",\"pid\":7}],\"inexact\":[]}"));
	/* one that knows no places */
	if (!strcmp(target, "memory1"))
		return call_reply(call, parse("{\"target\":\"memory1\",\"ranges\":[{\"first\":\"0x0\","
					      "\"last\":\"0xfff\"}],\"pins\":[],\"inexact\":[]}"));
	assert_true(json_get_bool(params, "busy", false));
	if (!strcmp(target, "memory33"))
		return call_reply(call, parse("{\"target\":\"memory33\",\"ranges\":[{\"first\":\"0x0\","
					      "\"last\":\"0xfff\"}],\"places\":[" RAM_PLACE "],\"pins\":[],"
					      "\"inexact\":[],\"busy\":[{\"class\":\"unevictable\","
					      "\"bytes\":65536},{\"class\":\"reserved\",\"bytes\":4096}]}"));
	return call_reply(
		call, parse("{\"target\":\"region0\",\"ranges\":[{\"first\":\"0x140001000\",\"last\":"
			    "\"0x140001fff\"},{\"first\":\"0x8000000\",\"last\":\"0xfffffff\"}],"
			    "\"places\":[" DAX_PLACE "," RAM_PLACE "],\"pins\":[{\"id\":\"0x1\",\"kind\":"
			    "\"rdma\",\"pid\":7,\"comm\":\"mr\",\"bytes\":4096}],\"inexact\":[]}"));
}

static int monitor(struct call *call, json_t *params, void *userdata)
{
	static const char *const events[] = {
		"\"type\":\"failure\",\"failure\":" FIRST,
		"\"type\":\"failure\",\"failure\":" SECOND,
		"\"type\":\"failure_done\",\"failure\":" FIRST,
		"\"type\":\"failure_done\",\"failure\":" SECOND,
	};
	char text[4096];

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(text, sizeof(text), "{\"event\":{\"time_usec\":%zu,%s}}", i, events[i]);
		(void)call_reply_continues(call, parse(text));
	}
	return call_reply(call, parse("{}"));
}

/* With those that are told; one holds 4 KiB of what was asked for, or nothing any more. */
static int release(struct call *call, json_t *params, void *userdata)
{
	bool dry_run = json_get_bool(params, "dry_run", false);
	bool holds = strcmp(json_get_string(params, "device", ""), "none") != 0;
	json_t *owner = json_pack("{si ss si ss sb ss si si si si}", "pid", 41, "comm", "mr", "uid", 0,
				  "cgroup", "/a", "registered", true, "state", "refused", "pins", 1,
				  "bytes", 4096, "pins_left", 1, "bytes_left", 4096);

	return call_reply(
		call, json_pack("{s{ss ss ss sb sI sI si si si si s[o] si}}", "release", "reason",
				"administrator", "mode", "sync", "phase", "refused", "dry_run", dry_run,
				"started_usec", (json_int_t)1, "deadline_usec", (json_int_t)1, "pins", 9,
				"bytes", 9 * 4096, "pins_left", holds ? 4 : 1, "bytes_left",
				holds ? 4 * 4096 : 4096, "owners", owner, "owners_omitted", 5));
}

static int list_owners(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, parse("{\"owners\":[{\"pid\":9,\"comm\":\"big\",\"uid\":0,\"bytes\":4096}],"
				      "\"omitted\":1}"));
}

static const struct method_param since_params[] = { { "since_usec", PARAM_INT }, {} };
static const struct method_param target_params[] = { { "target", PARAM_STRING, true }, {} };
static const struct method_param who_params[] = { { "target", PARAM_STRING, true },
						  { "busy", PARAM_BOOL },
						  {} };
static const struct method_param monitor_params[] = { { "since_usec", PARAM_INT },
						      { "follow", PARAM_BOOL },
						      {} };
static const struct method_param release_params[] = { { "device", PARAM_STRING },
						      { "dry_run", PARAM_BOOL },
						      {} };

static const struct method methods[] = {
	{ MANAGER "ListFailures", 0, since_params, list_failures },
	{ MANAGER "Classify", 0, target_params, classify },
	{ MANAGER "Who", 0, who_params, who },
	{ MANAGER "Monitor", METHOD_MORE, monitor_params, monitor },
	{ MANAGER "Release", 0, release_params, release },
	{ MANAGER "ListOwners", 0, NULL, list_owners },
	{},
};

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

/* --- the tests --- */

static void test_failures(void **state)
{
	EXPECT("failures", 0, "TIME ", "ADDRESS ", "CLASS ", "DATA ", "STATE ", "COUNT ", "WHERE ", "OWNERS\n",
	       "1970-01-01 00:00:01 0x8000000   system_ram lost isolated       1 memory33 -\n",
	       "1970-01-01 00:01:01 0x140001000 device_dax good unpoisoned    12 dax0.0   "
	       "mr\\x1b[4194301], qemu[2], c[3] +3\n",
	       "pinctl: the kernel counted 3 more failures that the service did not get to see\n");
	EXPECT("failures --no-legend -o id,last,ended,kind,action,result,node,block,region,namespace,dimm,token",
	       0,
	       " 7 1970-01-01 00:00:02 1970-01-01 00:00:06 uncorrected  dirty page failed     1 memory33 -",
	       " 8 1970-01-01 00:01:01 -                   soft_offline dax        ignored    0 -        "
	       "region0 namespace0.0 nmem0, nmem1 0123\n");
	EXPECT("failures --since=@1", 0, "0x8000000", "1 more failure that");
	assert_null(strstr(output, "0x140001000"));
	EXPECT("failures --since=@2", 0, "");
	assert_string_equal(output, "");
	EXPECT("failures --since=@3", 4, "permission denied");
	EXPECT("failures --since=@4 --no-legend -o address,owners,dimm,count", 0,
	       "-       -      -        -\n-       -      -     many\n-       ?[0]   -        -\n");
	EXPECT("failures --since=@4 -j", 0, "{\"failures\":[\"x\",{");
	EXPECT("failures --since=never", 2, "not a time: \"never\"");
	EXPECT("failures memory33", 2, "failures takes options only, not \"memory33\"");
	EXPECT("failures -o OWNER", 2, "no column \"OWNER\"", "OWNERS", "TOKEN");
	EXPECT("failures > /dev/full", 1, "No space left on device");
	EXPECT("failures --help", 0, "Usage: pinctl failures");
	pinctl_check_width(88);
}

static void test_failures_json(void **state)
{
	_cleanup_json_ json_t *reply = NULL, *empty = NULL;
	json_t *failure, *place;

	assert_int_equal(run("failures -j"), 0);
	reply = json_loads(output, 0, NULL);
	assert_non_null(reply);
	assert_int_equal(json_get_int(reply, "unseen", 0), 3);
	failure = json_array_get(json_object_get(reply, "failures"), 0);
	place = json_object_get(failure, "place");
	assert_true(json_is_null(json_object_get(failure, "token")));
	assert_true(json_is_null(json_object_get(place, "dax")));
	assert_true(json_is_null(json_object_get(place, "bad")));
	/* what tables are made of is not in it */
	assert_null(json_object_get(failure, "where"));
	assert_null(json_object_get(failure, "address"));
	failure = json_array_get(json_object_get(reply, "failures"), 1);
	place = json_object_get(failure, "place");
	assert_true(json_is_null(json_object_get(failure, "ended_usec")));
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(place, "dimms"), 1), "health")));
	assert_int_equal(json_array_size(json_object_get(failure, "owners")), 5);

	assert_int_equal(run("failures -j --since=@2"), 0);
	empty = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(empty, "failures")), 0);
}

static void test_classify(void **state)
{
	EXPECT("classify 0x140001000", 0,
	       "Address:      0x140001000\n"
	       "Class:        device_dax\n"
	       "Why:          it is in the data of a device-dax device that the kernel has a memory map of\n"
	       "Source:       kernel\n"
	       "Page flags:   reserved hwpoison\n"
	       "Poisoned:     yes\n"
	       "Node:         0\n"
	       "Region:       region0\n"
	       "Namespace:    namespace0.0\n"
	       "DAX device:   dax0.0\n"
	       "Offset:       0x1000 in dax0.0\n"
	       "Bad block:    yes\n"
	       "DIMM:         nmem0, handle 0x1, serial 0x2a, health ok\n"
	       "DIMM:         nmem1, handle 0x2\n");
	assert_null(strstr(output, "Memory block"));
	EXPECT("classify pfn:0x8000", 0, "Class:        system_ram\n", "Source:       proc\n",
	       "Poisoned:     no\nMemory block: memory33, offline\nNode:         1\n");
	assert_null(strstr(output, "flags"));
	assert_null(strstr(output, "Offset"));
	EXPECT("classify pfn:1", 0, "Class:        none\nPCI function: 0000:00:04.0\n");
	EXPECT("classify 0x140001000 -j", 0, "{\"place\":{\"address\":\"0x140001000\",", "\"memory_block\":null",
	       "}}\n");
	EXPECT("classify 0x3", 0, "Address:      3\nPage flags:   ? ?\nDIMM:         ?\n");
	EXPECT("classify 0x2", 1, "does not say what is there");
	EXPECT("classify 0xzz", 1, "cannot look at the memory of 0xzz: it is no address");
	EXPECT("classify", 2, "usage: pinctl classify ADDRESS");
	EXPECT("classify 0x1 0x2", 2, "usage: pinctl classify ADDRESS");
	EXPECT("classify memory33", 2, "not an address: \"memory33\"", "pinctl who");
	EXPECT("classify 0x1000-0x1fff", 2, "not an address");
	EXPECT("classify 0x1 -o CLASS", 2, "no columns");
	EXPECT("classify --help", 0, "Usage: pinctl classify");
	pinctl_check_width(88);
}

static void test_who(void **state)
{
	EXPECT("who region0", 0,
	       "region0: 0x140001000-0x140001fff (4K)\n"
	       "  device_dax, poisoned, a bad block: dax0.0+0x1000, namespace0.0, region0, node 0\n"
	       "  DIMM nmem0, handle 0x1, serial 0x2a, health ok\n"
	       "  DIMM nmem1, handle 0x2\n"
	       "region0: 0x8000000-0xfffffff (128M)\n"
	       "  system_ram: memory33, offline, node 1\n"
	       "\n"
	       "ID ",
	       "0x1 yes   rdma -");
	assert_int_equal(run("who region0 --no-legend -o id"), 0);
	assert_string_equal(output, "0x1\n");
	EXPECT("who region0 -j", 0, "\"target\":\"region0\"", "\"places\":[{\"address\":\"0x140001000\"",
	       "\"memory_block\":null", "\"charged_cgroup\":null", "\"inexact\":[]");
	EXPECT("who rxe0", 0, "ID ");
	assert_null(strstr(output, "rxe0:"));
	assert_int_equal(run("who memory1"), 0);
	assert_string_equal(output, "memory1: 0x0-0xfff (4K)\n");
	EXPECT("who memory1 -j", 0, "\"pins\":[]", "\"busy\":null", "\"places\":[]");
	EXPECT("who memory33", 0, "node 1\n  not movable: 4K reserved since boot; may not move: 64K "
	       "locked or pinned\n");
	EXPECT("who memory33 -j", 0, "\"busy\":[{\"class\":\"unevictable\",\"bytes\":65536},");
}

static void test_events(void **state)
{
	EXPECT("events", 0, "failure      7 uncorrected 0x8000000 system_ram in memory33: dirty page, failed\n",
	       "failure      8 soft_offline 0x140001000 device_dax in dax0.0: dax, ignored; pinned by "
	       "mr\\x1b[4194301], qemu[2], c[3] +3; told 12 times\n",
	       "failure_done 7 uncorrected 0x8000000 system_ram in memory33: isolated after 5s\n",
	       "failure_done 8 soft_offline 0x140001000 device_dax in dax0.0: unpoisoned\n");
	EXPECT("events -j", 0, "\"type\":\"failure\",\"failure\":{\"id\":7,");
}

static void test_omitted(void **state)
{
	static const char left_out[] = "pinctl: 5 more processes are not listed: there are too many, or "
				       "their names are too long; ";

	EXPECT("release --device=x", 1, "20K of 36K released, 4 pins left.\n", "41", left_out,
	       "12K in 3 pins\n");
	EXPECT("release --device=x --no-legend", 1, left_out);
	EXPECT("release --device=x --dry-run", 0, "36K would be asked for, in 9 pins.\n", "41", left_out,
	       "32K in 8 pins\n");
	/* they have let go: nobody who holds something is missing */
	EXPECT("release --device=none", 1, "41");
	assert_null(strstr(output, "not listed"));
	EXPECT("owners", 0, "9", "pinctl: 1 more process is not listed: there are too many, or their "
				 "names are too long\n");
	EXPECT("owners -j", 0, "\"omitted\":1");
	assert_null(strstr(output, "not listed"));
	pinctl_run_on_terminal("release --device=x", 1);
	assert_non_null(strstr(output, "  and 5 that are not listed\r\n"));
}

static void test_terminal(void **state)
{
	pinctl_run_on_terminal("failures", 0);
	assert_non_null(strstr(output, "unpoisoned"));
	assert_non_null(strstr(output, "dax0.0"));
	pinctl_check_width(80);
	pinctl_run_on_terminal("failures --since=@2", 0);
	assert_string_equal(output, "No failures.\r\n");
	pinctl_run_on_terminal("who region0", 0);
	assert_non_null(strstr(output, "region0, node\r\n  0\r\n"));
	pinctl_check_width(80);
	pinctl_run_on_terminal("classify 0x140001000", 0);
	assert_non_null(strstr(output, "kernel has a\r\n              memory map of\r\n"));
	pinctl_check_width(80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures), cmocka_unit_test(test_failures_json),
		cmocka_unit_test(test_classify), cmocka_unit_test(test_who),
		cmocka_unit_test(test_events),	 cmocka_unit_test(test_omitted),
		cmocka_unit_test(test_terminal),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
