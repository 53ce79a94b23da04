/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/place.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char classify_help[] =
	"Usage: pinctl classify ADDRESS [OPTIONS]\n"
	"\n"
	"Say what a page frame is and why, and which devices it belongs to. ADDRESS is\n"
	"  0x1f000               a physical address\n"
	"  pfn:31 pfn:0x1f       the number of a page frame\n"
	"\n"
	"  -j, --json            print one JSON object\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

/* What else there is has no one address. */
static int check_address(const char *text)
{
	if (!strncmp(text, "0x", 2) && !strchr(text, '-'))
		return -1;
	if (!strncmp(text, "pfn:", 4))
		return -1;
	return usage_error(
		"not an address: \"%s\": it is of the form 0x1f000 or pfn:31; for ranges and "
		"devices there is pinctl who",
		text);
}

static int run_classify(struct pinctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *reply = NULL;
	const char *address;
	json_t *place;
	int r;

	r = parse_one_argument(ctl, argc, argv, NULL, NULL, NULL, "ADDRESS", &address);
	if (r >= 0)
		return r;
	if (ctl->columns || ctl->list_columns)
		return usage_error("classify has no columns");
	r = check_address(address);
	if (r >= 0)
		return r;
	r = manager_call(ctl, "Classify",
			 json_pack("{so}", "target", argument_string(address)), &reply);
	if (r != STATUS_DONE)
		return r;
	place = json_object_get(reply, "place");
	if (!json_is_object(place)) {
		log_error("the service's answer does not say what is there");
		return STATUS_FAILED;
	}
	fill_place(place);
	if (ctl->json)
		return print_json(reply);
	print_place(ctl, place);
	return STATUS_DONE;
}

const struct verb verb_classify = { "classify", classify_help, run_classify };
