/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinguard.conf. */
#include <errno.h>

#include "daemon/base/config.h"
#include "daemon/model/pin.h"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

static void on_problem(unsigned int line, const char *text, void *userdata)
{
	const size_t *size = userdata;

	fuzz_assert(*text && line >= 1 && line <= *size + 1);
	for (const char *c = text; *c; c++)
		fuzz_assert((unsigned char)*c >= 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size);
	struct config config = {};

	fuzz_assert(config_parse(text, on_problem, &size, &config) == 0);
	config_done(&config);
	fuzz_assert(config.revoke_timeout_usec <= CONFIG_TIMEOUT_MAX_USEC);
	fuzz_assert(config.revoke_mode == PINGUARD_REVOKE_MODE_WAIT ||
		    config.revoke_mode == PINGUARD_REVOKE_MODE_NOTIFY);
	return 0;
}
