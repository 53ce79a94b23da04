/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal gets of a failure. */
#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/triggers/failures-log.h"
#include "daemon/base/messages.h"
#include "daemon/model/place.h"
#include "lib/json.h"

static struct {
	char id[40], text[512], fields[8192];
	unsigned int n_fields, n;
} told;

int __wrap_log_write(int level, int error, const char *message_id, const char *const *fields,
		     const char *format, ...) _printf_(5, 6);

int __wrap_log_write(int level, int error, const char *message_id, const char *const *fields,
		     const char *format, ...)
{
	size_t used = 0;
	va_list args;

	snprintf(told.id, sizeof(told.id), "%s", message_id);
	for (told.n_fields = 0; fields && fields[told.n_fields]; told.n_fields++)
		used += snprintf(told.fields + used, sizeof(told.fields) - used, "%s\n",
				 fields[told.n_fields]);
	va_start(args, format);
	vsnprintf(told.text, sizeof(told.text), format, args);
	va_end(args);
	told.n++;
	return 0;
}

static bool has_field(const char *field)
{
	return strstr(told.fields, field);
}

static unsigned int count(const char *name)
{
	unsigned int n = 0;

	for (const char *s = told.fields; (s = strstr(s, name)); s += strlen(name))
		n++;
	return n;
}

static json_t *owners(unsigned int n)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{s:i, s:s, s:s, s:s}", "pid", 100 + i,
						       "comm", "a\\x1b", "cgroup", "/a.service",
						       "pin", "0x5"));
	return array;
}

static json_t *failure(unsigned int n_dimms, unsigned int n_owners)
{
	struct failures *fs;
	struct failure *f;
	struct place place;
	json_t *json, *text;
	const struct failure_info info = {
		.id = 1,
		.pfn = 0x140,
		.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
		.class = PINGUARD_MEMORY_CLASS_DEVICE_DAX,
		.result = PINGUARD_FAILURE_RESULT_FAILED,
		.action = "dax\npage",
	};

	place_init(&place, 0x140000);
	place_set_frame(&place, PINGUARD_MEMORY_CLASS_DEVICE_DAX, true, NULL);
	strcpy(place.region, "region0");
	strcpy(place.dax, "dax0.0");
	for (; place.n_dimms < n_dimms; place.n_dimms++)
		snprintf(place.dimms[place.n_dimms].name, PLACE_NAME_MAX, "nmem%zu", place.n_dimms);
	assert_int_equal(failures_new("", NULL, &fs), 0);
	assert_int_equal(failures_add(fs, &info, 1, &f), 1);
	text = place_to_json(&place);
	failure_set_place(f, json_dumps(text, JSON_COMPACT));
	json_decref(text);
	text = owners(n_owners);
	failure_set_owners(f, json_dumps(text, JSON_COMPACT), n_owners, 3);
	json_decref(text);
	json = failure_to_json(f);
	failures_free(fs);
	return json;
}

static void test_fields(void **state)
{
	_cleanup_json_ json_t *json = failure(2, 1);

	failure_log(json);
	assert_string_equal(told.id, MESSAGE_FAILURE);
	assert_true(has_field("PINGUARD_PHYS=0x140000\n"));
	assert_true(has_field("PINGUARD_CLASS=device_dax\n"));
	assert_true(has_field("PINGUARD_DAX=dax0.0\n"));
	assert_true(has_field("PINGUARD_REGION=region0\n"));
	assert_false(has_field("PINGUARD_NAMESPACE="));
	assert_true(has_field("PINGUARD_DIMM=nmem0\nPINGUARD_DIMM=nmem1\n"));
	assert_true(has_field("PINGUARD_PID=100\n"));
	assert_true(has_field("PINGUARD_CGROUP=/a.service\n"));
	assert_true(has_field("PINGUARD_ACTION=dax\\x0apage\n"));
	assert_true(has_field("PINGUARD_STATE=open\n"));
	assert_non_null(strstr(told.text, "0x140000 (device_dax of dax0.0): its content is lost"));
	assert_non_null(strstr(told.text,
			       "4 pins hold it, of process 100 (a\\x1b) and maybe others"));
	failure_log_done(json);
	assert_string_equal(told.id, MESSAGE_FAILURE_DONE);
	failure_log_more(7);
	assert_string_equal(told.id, MESSAGE_FAILURES_MORE);
	assert_true(has_field("PINGUARD_COUNT=7\n"));
}

/* Large hardware, and a page of many: what does not fit is left out. */
static void test_many(void **state)
{
	_cleanup_json_ json_t *json = failure(PLACE_DIMMS_MAX, FAILURE_OWNERS_MAX);

	failure_log(json);
	assert_int_equal(count("PINGUARD_DIMM="), 8);
	assert_int_equal(count("PINGUARD_PID="), 8);
	assert_int_equal(count("PINGUARD_CGROUP="), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
