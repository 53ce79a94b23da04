/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "lib/escape.h"
#include "lib/json.h"
#include "lib/parse.h"
#include "lib/varlink.h"
#include "libpinguard/message.h"

struct name {
	const char *name;
	int value;
};

static const struct name kinds[] = {
	{ "rdma", PINGUARD_PIN_RDMA },	     { "vfio", PINGUARD_PIN_VFIO },
	{ "iommufd", PINGUARD_PIN_IOMMUFD }, { "io_uring", PINGUARD_PIN_IO_URING },
	{ "xdp", PINGUARD_PIN_XDP },	     { "vdpa", PINGUARD_PIN_VDPA },
	{ "udmabuf", PINGUARD_PIN_UDMABUF },
};

static const struct name modes[] = {
	{ "async", PINGUARD_REQUEST_ASYNC },
	{ "sync", PINGUARD_REQUEST_SYNC },
};

static const struct name reasons[] = {
	{ "administrator", PINGUARD_REQUEST_ADMINISTRATOR },
	{ "drain", PINGUARD_REQUEST_DRAIN },
	{ "quota", PINGUARD_REQUEST_QUOTA },
	{ "device_removal", PINGUARD_REQUEST_DEVICE_REMOVAL },
	{ "memory_offline", PINGUARD_REQUEST_MEMORY_OFFLINE },
	{ "memory_failure", PINGUARD_REQUEST_MEMORY_FAILURE },
};

/* Errors of org.pinguard.Owner; of the server too, which has them in its first interface. */
static const struct name errors[] = {
	{ "AlreadyRegistered", -EALREADY }, { "LimitExceeded", -EUSERS },
	{ "NoSuchToken", -ENOENT },	    { "NotSupported", -EOPNOTSUPP },
	{ "StillPinned", -EBUSY },
};

static const struct name varlink_errors[] = {
	{ VARLINK_ERROR_INTERFACE_NOT_FOUND, -EOPNOTSUPP },
	{ VARLINK_ERROR_METHOD_NOT_FOUND, -EOPNOTSUPP },
	{ VARLINK_ERROR_METHOD_NOT_IMPLEMENTED, -EOPNOTSUPP },
	{ VARLINK_ERROR_PERMISSION_DENIED, -EACCES },
};

static int find(const struct name *names, size_t n_names, const char *name, int fallback)
{
	for (size_t i = 0; i < n_names; i++)
		if (name && !strcmp(names[i].name, name))
			return names[i].value;
	return fallback;
}

#define FIND(names, name, fallback) find(names, ARRAY_SIZE(names), name, fallback)

static int error_errno(const char *name)
{
	static const char prefix[] = "org.pinguard.";

	if (!strncmp(name, prefix, strlen(prefix)))
		return FIND(errors, strrchr(name, '.') + 1, -EPROTO);
	return FIND(varlink_errors, name, -EPROTO);
}

bool message_utf8(const char *text)
{
	_cleanup_json_ json_t *string = json_string(text);

	return string;
}

/* A message of the service; @ret_error is NULL for a reply, and belongs to it. */
static int message_parse(const char *text, size_t size, json_t **ret_message, json_t **ret_params,
			 const char **ret_error)
{
	_cleanup_json_ json_t *message = NULL;
	json_t *params, *error;
	int r = varlink_parse(text, size, &message);

	if (r < 0)
		return r;
	params = json_object_get(message, "parameters");
	error = json_object_get(message, "error");
	if ((params && !json_is_object(params) && !json_is_null(params)) ||
	    (error && !json_is_string(error)))
		return -EBADMSG;
	*ret_params = params;
	*ret_error = json_string_value(error);
	*ret_message = TAKE_PTR(message);
	return 0;
}

/* Absent and null are the same. */
static const json_t *get(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

static int get_amount(const json_t *object, const char *key, uint64_t *ret)
{
	int64_t value = json_get_int(object, key, -1);

	if (value < 0)
		return -EBADMSG;
	*ret = (uint64_t)value;
	return 0;
}

static int get_id(const json_t *object, const char *key, uint64_t *ret)
{
	const char *text = json_get_string(object, key, "");

	return parse_id(text, ret, NULL) < 0 ? -EBADMSG : 0;
}

static int copy_token(const json_t *value, char token[static MESSAGE_TOKEN_MAX_BYTES + 1])
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (length == 0 || length > MESSAGE_TOKEN_MAX_BYTES)
		return -EBADMSG;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -EBADMSG;
	memcpy(token, text, length + 1);
	return 0;
}

static int pin_parse(const json_t *object, struct pinguard_pin *pin)
{
	const json_t *device = get(object, "device");
	int r;

	pin->kind = FIND(kinds, json_get_string(object, "kind", NULL), PINGUARD_PIN_UNKNOWN);
	if ((device && !json_is_string(device)) || get_id(object, "id", &pin->id) < 0 ||
	    get_amount(object, "bytes", &pin->bytes) < 0)
		return -EBADMSG;
	pin->has_address = get(object, "address");
	if (pin->has_address && get_id(object, "address", &pin->address) < 0)
		return -EBADMSG;
	if (!device)
		return 0;
	r = unescape(json_string_value(device), &pin->device, NULL);
	return r == -EINVAL ? -EBADMSG : r;
}

static int failure_parse(const json_t *object, struct pinguard_failure *failure)
{
	const json_t *lost = json_object_get(object, "data_lost");

	failure->has_address = get(object, "address");
	if (get_id(object, "pin", &failure->pin) < 0 || !json_is_boolean(lost) ||
	    get_amount(object, "bytes", &failure->bytes) < 0 ||
	    (failure->has_address && get_id(object, "address", &failure->address) < 0))
		return -EBADMSG;
	failure->data_lost = json_is_true(lost);
	return 0;
}

/* An older service sends none. */
static int failures_parse(const json_t *failures, struct pinguard_request *request)
{
	const size_t n = json_array_size(failures);
	int r = 0;

	if (failures && !json_is_array(failures))
		return -EBADMSG;
	if (n == 0)
		return 0;
	request->failures = calloc(n, sizeof(request->failures[0]));
	if (!request->failures)
		return -ENOMEM;
	request->n_failures = n;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = failure_parse(json_array_get(failures, i), &request->failures[i]);
	return r;
}

static int request_parse(const json_t *object, struct pinguard_request **ret)
{
	_cleanup_(pinguard_request_unrefp) struct pinguard_request *request = NULL;
	const json_t *pins = json_object_get(object, "pins");
	size_t n_pins = json_array_size(pins);
	int r;

	if (!json_is_array(pins))
		return -EBADMSG;
	request = calloc(1, sizeof(*request) + n_pins * sizeof(request->pins[0]));
	if (!request)
		return -ENOMEM;
	request->n_ref = 1;
	request->n_pins = n_pins;
	request->mode = FIND(modes, json_get_string(object, "mode", NULL),
			     PINGUARD_REQUEST_MODE_UNKNOWN);
	request->reason = FIND(reasons, json_get_string(object, "reason", NULL),
			       PINGUARD_REQUEST_REASON_UNKNOWN);
	request->reminder = json_get_bool(object, "reminder", false);
	r = copy_token(json_object_get(object, "token"), request->token);
	if (r == 0)
		r = get_amount(object, "deadline_usec", &request->deadline_usec);
	for (size_t i = 0; r == 0 && i < n_pins; i++)
		r = pin_parse(json_array_get(pins, i), &request->pins[i]);
	if (r == 0)
		r = failures_parse(get(object, "failures"), request);
	if (r == 0)
		*ret = TAKE_PTR(request);
	return r;
}

void notice_done(struct notice *notice)
{
	notice->request = pinguard_request_unref(notice->request);
}

int notice_parse(const char *text, size_t size, struct notice *ret_notice)
{
	_cleanup_json_ json_t *message = NULL;
	struct notice notice = {};
	const json_t *request, *withdrawn;
	const char *error;
	json_t *params;
	int r;

	r = message_parse(text, size, &message, &params, &error);
	if (r < 0)
		return r;
	if (error) {
		r = error_errno(error);
		/* these two have no sense here, and another meaning for the caller */
		return r == -EBUSY || r == -ENOENT ? -EPROTO : r;
	}
	if (!json_get_bool(message, "continues", false))
		return -ECONNRESET;
	withdrawn = get(params, "withdrawn");
	if (withdrawn && copy_token(withdrawn, notice.withdrawn) < 0)
		return -EBADMSG;
	request = get(params, "request");
	if (request)
		r = request_parse(request, &notice.request);
	if (r == 0)
		*ret_notice = notice;
	return r;
}

int verdict_parse(const char *text, size_t size, struct verdict *ret_verdict)
{
	_cleanup_json_ json_t *message = NULL;
	struct verdict verdict = {};
	const char *error;
	json_t *params;
	int r;

	r = message_parse(text, size, &message, &params, &error);
	if (r < 0)
		return r;
	if (!error && json_get_bool(message, "continues", false))
		return -EBADMSG;
	if (error)
		verdict.error = error_errno(error);
	if (verdict.error == -EBUSY && (get_amount(params, "pins", &verdict.pins_left) < 0 ||
					get_amount(params, "bytes", &verdict.bytes_left) < 0))
		return -EBADMSG;
	if (verdict.error != -EBUSY && verdict.error != -ENOENT && verdict.error != -EUSERS &&
	    verdict.error != 0)
		verdict.error = -EPROTO;
	*ret_verdict = verdict;
	return 0;
}
