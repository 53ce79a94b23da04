/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/socket.h"
#include "libpinguard/message.h"
#include "libpinguard/owner-internal.h"

DEFINE_CLEANUP(struct pinguard_owner *, pinguard_owner_unref);

_public_ int pinguard_owner_new(const char *socket_path, struct pinguard_owner **ret_owner)
{
	_cleanup_(pinguard_owner_unrefp) struct pinguard_owner *owner = NULL;
	int r;

	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	owner->n_ref = 1;
	owner->pid = getpid();
	owner->state = PINGUARD_OWNER_WAITING;
	owner->epoll_fd = -1;
	(void)channel_init(&owner->stream, -1);
	(void)channel_init(&owner->answers, -1);
	r = socket_address(socket_path ?: PINGUARD_OWNER_SOCKET, &owner->address,
			   &owner->address_length);
	if (r < 0)
		return r;
	owner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (owner->epoll_fd < 0)
		return -errno;
	r = channel_init(&owner->stream, owner->epoll_fd);
	if (r == 0)
		r = channel_init(&owner->answers, owner->epoll_fd);
	if (r == 0)
		r = channel_arm(&owner->stream, 0);
	if (r == 0)
		*ret_owner = TAKE_PTR(owner);
	return r;
}

_public_ struct pinguard_owner *pinguard_owner_ref(struct pinguard_owner *owner)
{
	owner->n_ref++;
	return owner;
}

_public_ struct pinguard_owner *pinguard_owner_unref(struct pinguard_owner *owner)
{
	bool own;

	if (!owner || --owner->n_ref > 0)
		return NULL;
	own = !owner_is_foreign(owner);
	channel_done(&owner->stream, own);
	channel_done(&owner->answers, own);
	owner_answers_clear(owner);
	closep(&owner->epoll_fd);
	free(owner);
	return NULL;
}

#define DEFINE_SETTER(name)                                                                  \
	_public_ void pinguard_owner_set_##name##_callback(                                  \
		struct pinguard_owner *owner, pinguard_##name##_fn callback, void *userdata) \
	{                                                                                    \
		if (owner_is_foreign(owner))                                                       \
			return;                                                              \
		owner->on_##name = callback;                                                 \
		owner->name##_userdata = userdata;                                           \
	}                                                                                    \
	struct __semicolon_wanted_

DEFINE_SETTER(request);
DEFINE_SETTER(withdrawn);
DEFINE_SETTER(completed);
DEFINE_SETTER(state);

_public_ int pinguard_owner_fd(struct pinguard_owner *owner)
{
	return owner_is_foreign(owner) ? -ECHILD : owner->epoll_fd;
}

_public_ int pinguard_owner_state(struct pinguard_owner *owner)
{
	return owner_is_foreign(owner) ? -ECHILD : (int)owner->state;
}

static void set_state(struct pinguard_owner *owner, enum pinguard_owner_state state)
{
	if (owner->state == state)
		return;
	owner->state = state;
	if (owner->on_state)
		owner->on_state(owner, state, owner->state_userdata);
}

/* The registration is over, or did not come about; it is tried again. */
static int lose(struct pinguard_owner *owner, int error)
{
	enum pinguard_owner_state state = owner->state;
	int r = channel_retry(&owner->stream);

	/* first, so that callbacks cannot queue what nobody will send */
	owner->state = PINGUARD_OWNER_WAITING;
	owner_answers_fail(owner);
	if (owner_stopped(owner))
		return error;
	owner->state = state;
	set_state(owner, PINGUARD_OWNER_WAITING);
	return r < 0 ? r : error;
}

static int tell(struct pinguard_owner *owner, struct notice *notice)
{
	set_state(owner, PINGUARD_OWNER_REGISTERED);
	if (notice->request && owner->on_request && !owner_stopped(owner))
		owner->on_request(owner, notice->request, owner->request_userdata);
	if (notice->withdrawn[0] && owner->on_withdrawn && !owner_stopped(owner))
		owner->on_withdrawn(owner, notice->withdrawn, owner->withdrawn_userdata);
	return 0;
}

/* Takes every message out that is in the buffer. */
static int take_notices(struct pinguard_owner *owner)
{
	const char *text;
	size_t size;
	int r;

	while (!owner_stopped(owner)) {
		struct notice notice;

		r = varlink_reader_next(&owner->stream.reader, &text, &size);
		if (r <= 0)
			return r;
		r = notice_parse(text, size, &notice);
		if (r < 0)
			return r;
		(void)tell(owner, &notice);
		notice_done(&notice);
	}
	return 0;
}

static int stream_connect(struct pinguard_owner *owner)
{
	int r = channel_connect(&owner->stream, &owner->address, owner->address_length);

	if (r == 0)
		r = varlink_writer_call(&owner->stream.writer, OWNER_INTERFACE "Register",
					json_object(), true);
	if (r == 0)
		set_state(owner, PINGUARD_OWNER_REGISTERING);
	return r;
}

static int stream_run(struct pinguard_owner *owner)
{
	int r = 0;

	if (channel_due(&owner->stream))
		r = stream_connect(owner);
	if (r == 0 && owner->stream.fd < 0)
		return 0;
	if (r == 0 && owner_stopped(owner))
		return 0;
	if (r == 0)
		r = channel_send(&owner->stream);
	if (r == 0)
		r = channel_receive(&owner->stream);
	if (r > 0)
		r = take_notices(owner);
	if (r < 0 && !owner_stopped(owner))
		r = lose(owner, r);
	return r;
}

_public_ int pinguard_owner_dispatch(struct pinguard_owner *owner)
{
	int r, q = 0;

	if (owner_is_foreign(owner))
		return -ECHILD;
	if (owner->dispatching)
		return -EBUSY;
	pinguard_owner_ref(owner);
	owner->dispatching = true;
	r = stream_run(owner);
	if (!owner_stopped(owner))
		q = owner_answers_run(owner);
	owner->dispatching = false;
	if (owner_is_foreign(owner))
		q = r = -ECHILD;
	pinguard_owner_unref(owner);
	return r < 0 ? r : q;
}
