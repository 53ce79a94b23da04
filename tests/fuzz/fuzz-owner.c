/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service, or somebody in its place, sends to libpinguard. */
#include <errno.h>

#include "libpinguard/message.h"
#include "tests/fuzz/fuzz.h"

static void check_request(const struct pinguard_request *request)
{
	size_t length = strlen(pinguard_request_token(request));
	uint64_t address;

	fuzz_assert(length > 0 && length <= MESSAGE_TOKEN_MAX_BYTES);
	for (size_t i = 0; i < pinguard_request_n_pins(request); i++) {
		const struct pinguard_pin *pin = pinguard_request_pin(request, i);

		fuzz_assert(pinguard_pin_bytes(pin) <= INT64_MAX);
		fuzz_assert(pinguard_pin_kind(pin) <= PINGUARD_PIN_UDMABUF);
		fuzz_assert(pinguard_pin_address(pin, &address) != 0 || pin->has_address);
		fuzz_assert(!pinguard_pin_device(pin) ||
			    strlen(pinguard_pin_device(pin)) < SIZE_MAX);
	}
	fuzz_assert(!pinguard_request_pin(request, pinguard_request_n_pins(request)));
	for (size_t i = 0; i < pinguard_request_n_failures(request); i++) {
		const struct pinguard_failure *failure = pinguard_request_failure(request, i);

		fuzz_assert(pinguard_failure_bytes(failure) <= INT64_MAX);
		fuzz_assert(pinguard_failure_address(failure, &address) != 0 ||
			    failure->has_address);
	}
	fuzz_assert(!pinguard_request_failure(request, pinguard_request_n_failures(request)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct verdict verdict = { .error = 1 };
	struct notice notice = {};
	int r = notice_parse(text, strlen(text), &notice);

	/* these two have another meaning for who dispatches */
	fuzz_assert(r <= 0 && r != -EBUSY && r != -ENOENT && r != -ECHILD);
	fuzz_assert(r == 0 || (!notice.request && !notice.withdrawn[0]));
	if (notice.request)
		check_request(notice.request);
	notice_done(&notice);

	r = verdict_parse(text, strlen(text), &verdict);
	fuzz_assert(r <= 0 && (r == 0) == (verdict.error <= 0));
	fuzz_assert(verdict.error == -EBUSY || (!verdict.pins_left && !verdict.bytes_left));
	free(text);
	return 0;
}
