/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/json.h"
#include "libpinguard/message.h"
#include "libpinguard/owner-internal.h"

static const char *const results[] = {
	[PINGUARD_RESULT_RELEASED] = "released",
	[PINGUARD_RESULT_REFUSED] = "refused",
	[PINGUARD_RESULT_DEFERRED] = "deferred",
};

static struct completion *completion_free(struct completion *completion)
{
	if (completion)
		json_decref(completion->params);
	free(completion);
	return NULL;
}

DEFINE_CLEANUP(struct completion *, completion_free);

static struct completion *take_first(struct pinguard_owner *owner)
{
	struct completion *completion = owner->queue;

	if (completion) {
		DL_DELETE(owner->queue, completion);
		owner->n_queued--;
	}
	return completion;
}

void owner_answers_clear(struct pinguard_owner *owner)
{
	while (owner->queue)
		completion_free(take_first(owner));
}

static void tell(struct pinguard_owner *owner, const struct completion *completion,
		 const struct verdict *verdict)
{
	if (owner->on_completed)
		owner->on_completed(owner, completion->token, verdict->error, verdict->pins_left,
				    verdict->bytes_left, owner->completed_userdata);
}

void owner_answers_fail(struct pinguard_owner *owner)
{
	static const struct verdict lost = { .error = -ECONNRESET };

	channel_drop(&owner->answers);
	while (owner->queue && !owner_stopped(owner)) {
		_cleanup_(completion_freep) struct completion *completion = take_first(owner);

		tell(owner, completion, &lost);
	}
}

/* Sends the first of the queue, one at a time. */
static int send_first(struct pinguard_owner *owner)
{
	int r = varlink_writer_call(&owner->answers.writer, OWNER_INTERFACE "Complete",
				    json_incref(owner->queue->params), false);

	return r < 0 ? r : channel_send(&owner->answers);
}

static int connect_and_send(struct pinguard_owner *owner)
{
	int r = channel_connect(&owner->answers, &owner->address, owner->address_length);

	return r < 0 ? r : send_first(owner);
}

/* What is in the buffer, which is one message where the service keeps to the protocol. */
static int take_verdict(struct pinguard_owner *owner)
{
	_cleanup_(completion_freep) struct completion *completion = NULL;
	struct verdict verdict;
	const char *text;
	size_t size;
	int r = varlink_reader_next(&owner->answers.reader, &text, &size);

	if (r <= 0)
		return r;
	r = verdict_parse(text, size, &verdict);
	if (r == 0 && verdict.error == -EUSERS)
		r = verdict.error;
	if (r == 0 && varlink_reader_pending(&owner->answers.reader))
		r = -EBADMSG;
	if (r < 0)
		return r;
	owner->answers.backoff_usec = 0;
	completion = take_first(owner);
	tell(owner, completion, &verdict);
	if (owner_stopped(owner))
		return 0;
	if (owner->queue)
		return send_first(owner);
	/* what is open counts against the user's other programs */
	channel_drop(&owner->answers);
	return 0;
}

int owner_answers_run(struct pinguard_owner *owner)
{
	bool due = channel_due(&owner->answers);
	int r = 0, q;

	if (!owner->queue)
		return 0;
	if (owner->answers.fd >= 0) {
		r = channel_send(&owner->answers);
		if (r == 0)
			r = channel_receive(&owner->answers);
		if (r > 0)
			r = take_verdict(owner);
	} else if (due) {
		r = connect_and_send(owner);
	}
	if (r >= 0 || owner_stopped(owner))
		return 0;
	q = channel_retry(&owner->answers);
	return q < 0 ? q : r;
}

static int check_answer(const struct pinguard_owner *owner, const char *token,
			enum pinguard_result result, const char *reason)
{
	if (owner_is_foreign(owner))
		return -ECHILD;
	if ((size_t)result >= ARRAY_SIZE(results) || !results[result] || !token[0] ||
	    !message_utf8(token) || (reason && !message_utf8(reason)))
		return -EINVAL;
	if (reason && strlen(reason) > PINGUARD_REASON_MAX_BYTES)
		return -EMSGSIZE;
	if (owner->state != PINGUARD_OWNER_REGISTERED)
		return -ENOTCONN;
	/* what no request can have is not sent */
	if (strlen(token) > MESSAGE_TOKEN_MAX_BYTES)
		return -EINVAL;
	return owner->n_queued < PINGUARD_COMPLETIONS_MAX ? 0 : -ENOBUFS;
}

/* A dispatch that is under way sends it itself, so that errors have one way out. */
static int start(struct pinguard_owner *owner)
{
	if (owner->dispatching)
		return channel_arm(&owner->answers, 0);
	return connect_and_send(owner) < 0 ? channel_retry(&owner->answers) : 0;
}

_public_ int pinguard_owner_complete(struct pinguard_owner *owner, const char *token,
				     enum pinguard_result result, const char *reason)
{
	_cleanup_(completion_freep) struct completion *completion = NULL;
	int r = check_answer(owner, token, result, reason);

	if (r < 0)
		return r;
	completion = calloc(1, sizeof(*completion) + strlen(token) + 1);
	if (!completion)
		return -ENOMEM;
	memcpy(completion->token, token, strlen(token) + 1);
	completion->params = json_pack("{ss ss ss*}", "token", token, "result", results[result],
				       "reason", reason);
	if (!completion->params)
		return -ENOMEM;
	DL_APPEND(owner->queue, completion);
	owner->n_queued++;
	TAKE_PTR(completion);
	/* where the timer cannot be set, which no kernel refuses, the next dispatch tells */
	if (owner->n_queued == 1)
		(void)start(owner);
	return 0;
}
