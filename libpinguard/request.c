/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "libpinguard/message.h"

_public_ struct pinguard_request *pinguard_request_ref(struct pinguard_request *request)
{
	request->n_ref++;
	return request;
}

_public_ struct pinguard_request *pinguard_request_unref(struct pinguard_request *request)
{
	if (request && --request->n_ref == 0) {
		for (size_t i = 0; i < request->n_pins; i++)
			free(request->pins[i].device);
		free(request->failures);
		free(request);
	}
	return NULL;
}

_public_ const char *pinguard_request_token(const struct pinguard_request *request)
{
	return request->token;
}

_public_ enum pinguard_request_mode pinguard_request_mode(const struct pinguard_request *request)
{
	return request->mode;
}

_public_ enum pinguard_request_reason
pinguard_request_reason(const struct pinguard_request *request)
{
	return request->reason;
}

_public_ uint64_t pinguard_request_deadline_usec(const struct pinguard_request *request)
{
	return request->deadline_usec;
}

_public_ int pinguard_request_is_reminder(const struct pinguard_request *request)
{
	return request->reminder;
}

_public_ size_t pinguard_request_n_pins(const struct pinguard_request *request)
{
	return request->n_pins;
}

_public_ const struct pinguard_pin *pinguard_request_pin(const struct pinguard_request *request,
							 size_t index)
{
	return index < request->n_pins ? &request->pins[index] : NULL;
}

_public_ enum pinguard_pin_kind pinguard_pin_kind(const struct pinguard_pin *pin)
{
	return pin->kind;
}

_public_ uint64_t pinguard_pin_id(const struct pinguard_pin *pin)
{
	return pin->id;
}

_public_ const char *pinguard_pin_device(const struct pinguard_pin *pin)
{
	return pin->device;
}

_public_ int pinguard_pin_address(const struct pinguard_pin *pin, uint64_t *ret_address)
{
	if (!pin->has_address)
		return -ENODATA;
	*ret_address = pin->address;
	return 0;
}

_public_ uint64_t pinguard_pin_bytes(const struct pinguard_pin *pin)
{
	return pin->bytes;
}

_public_ size_t pinguard_request_n_failures(const struct pinguard_request *request)
{
	return request->n_failures;
}

_public_ const struct pinguard_failure *
pinguard_request_failure(const struct pinguard_request *request, size_t index)
{
	return index < request->n_failures ? &request->failures[index] : NULL;
}

_public_ uint64_t pinguard_failure_pin(const struct pinguard_failure *failure)
{
	return failure->pin;
}

_public_ int pinguard_failure_address(const struct pinguard_failure *failure,
				      uint64_t *ret_address)
{
	if (!failure->has_address)
		return -ENODATA;
	*ret_address = failure->address;
	return 0;
}

_public_ uint64_t pinguard_failure_bytes(const struct pinguard_failure *failure)
{
	return failure->bytes;
}

_public_ int pinguard_failure_data_lost(const struct pinguard_failure *failure)
{
	return failure->data_lost;
}
