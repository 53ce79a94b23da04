/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_VARLINK_SERVER_H
#define PINGUARD_VARLINK_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/varlink/peer.h"
#include "lib/macros.h"
#include "lib/varlink.h"

/*
 * A varlink server on an sd-event loop: transport, limits and dispatch. It
 * knows methods by a table and nothing of what they do.
 */

/* Limits. A message to the service: VARLINK_CALL_MAX_BYTES, VARLINK_DEPTH_MAX. */
#define SERVER_CONNECTIONS_MAX		 4096
#define SERVER_CONNECTIONS_ROOT		 32 /* of those, kept free for root */
#define SERVER_CONNECTIONS_UID_MAX	 64 /* per uid but root */
#define SERVER_SUBSCRIPTIONS_UID_MAX	 16 /* calls with METHOD_SUBSCRIPTION; per uid but root */
#define SERVER_QUEUE_MAX_BYTES		 ((size_t)4 << 20) /* beyond it the client is dropped */
#define SERVER_QUEUE_HIGH_BYTES		 ((size_t)256 << 10) /* call_writable() ends here */
#define SERVER_QUEUE_LOW_BYTES		 ((size_t)64 << 10) /* and the drained callback comes here */
#define SERVER_MESSAGE_TIMEOUT_USEC	 (30 * 1000000ULL) /* for the rest of half a message */
#define SERVER_ACCEPT_PAUSE_USEC	 (1 * 1000000ULL) /* when out of file descriptors */

/*
 * Each connection takes up to two file descriptors (the second is the peer's
 * pidfd): the service's RLIMIT_NOFILE must allow for them. Where it does not,
 * accepting pauses.
 */

struct server;
struct call;

enum param_type {
	PARAM_STRING,
	PARAM_INT,
	PARAM_BOOL,
	PARAM_STRINGS, /* an array of them */
};

/* A parameter of a method; anything else in a call is InvalidParameter. */
struct method_param {
	const char *name;
	enum param_type type;
	bool required; /* neither absent nor null */
};

enum method_flags {
	METHOD_MORE = 1,	 /* only with "more", else ExpectedMore */
	METHOD_SUBSCRIPTION = 2, /* counts as one for as long as the call lives */
	METHOD_SEE_ALL = 4,	 /* PermissionDenied for others than peer_sees_all() */
	METHOD_ADMIN = 8,	 /* PermissionDenied for others than peer_is_admin() */
};

/**
 * typedef method_handler - answers a call
 * @call: valid until the handler returns; to answer later, take a call_ref()
 * @params: an object, checked against the table; lives as long as @call
 * @userdata: of struct server_config
 *
 * Answer with call_reply() or call_error(), now or later; with "more" any
 * number of call_reply_continues() before that. A call whose last reference
 * goes without an answer is answered with SystemError.
 *
 * Return: 0, or a negative errno that becomes the answer: PermissionDenied
 * for -EPERM and -EACCES, SystemError otherwise. A handler that has answered
 * returns what the answering function returned, or 0.
 */
typedef int (*method_handler)(struct call *call, json_t *params, void *userdata);

struct method {
	const char *name; /* "org.example.Interface.Method" */
	unsigned int flags;
	const struct method_param *params; /* ends with a NULL name; NULL for none */
	method_handler handler;		   /* NULL: MethodNotImplemented */
};

struct server_interface {
	const char *name;
	const char *description; /* the .varlink file */
};

/* All that it points to must outlive the server. */
struct server_config {
	const char *vendor, *product, *version, *url; /* GetInfo */
	const struct server_interface *interfaces;    /* ends with a NULL name */
	const struct method *methods;		      /* ends with a NULL name */
	/*
	 * For what is no call of one of them. This one and those above have the
	 * errors LimitExceeded and SystemError.
	 */
	const char *error_interface;
	gid_t admin_gid;	     /* peer_lookup_group(PEER_ADMIN_GROUP) */
	gid_t view_gid;		     /* peer_lookup_group(PEER_VIEW_GROUP) */
	uint64_t message_timeout_usec; /* 0 for SERVER_MESSAGE_TIMEOUT_USEC */
	void *userdata;		     /* for the handlers */
};

/**
 * server_new() - a server without listeners
 * @event: a reference is taken
 *
 * Return: 0 or a negative errno
 */
int server_new(sd_event *event, const struct server_config *config, struct server **ret);

/** server_free() - drop all connections and close the listeners; NULL is fine; returns NULL */
struct server *server_free(struct server *server);
DEFINE_CLEANUP(struct server *, server_free);

/**
 * server_listen_fd() - accept connections from a listening Unix stream socket
 * @fd: taken over on success, made non-blocking
 *
 * Return: 0, -ENOTSOCK or -EINVAL where it is no such socket
 */
int server_listen_fd(struct server *server, int fd);

/**
 * server_listen_path() - bind a socket, mode 0666, and listen on it
 * @path: of a file in a directory that exists, or "@name" for an abstract one
 *
 * A socket that nobody answers is replaced. The file stays when the server
 * goes.
 *
 * Return: 0, -EADDRINUSE where another service answers there, -EEXIST for a
 * file that is no socket, another negative errno
 */
int server_listen_path(struct server *server, const char *path);

/** server_add_connection() - serve a connected socket; @fd is taken over in any case */
int server_add_connection(struct server *server, int fd);

/** server_n_connections() - how many there are now */
unsigned int server_n_connections(const struct server *server);

/* --- a call, for handlers --- */

struct call *call_ref(struct call *call);
struct call *call_unref(struct call *call); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct call *, call_unref);

/* Who calls; lives as long as the call, also when the peer has gone. */
const struct peer *call_peer(const struct call *call);
bool call_is_admin(const struct call *call); /* and may change all */
bool call_sees_all(const struct call *call); /* as administrators do */

/* The method's name, and whether the caller asked for "more". */
const char *call_method(const struct call *call);
bool call_more(const struct call *call);

/**
 * call_reply() - the last reply
 * @params: an object; the reference is taken over in any case, so json_pack()
 *	may stand here: its NULL is -ENOMEM
 *
 * A caller that has gone, or asked for no answer (oneway), is no error.
 *
 * Return: 0, -EALREADY after the last reply; or with nothing sent, so that an
 * error can still be: -EMSGSIZE over VARLINK_REPLY_MAX_BYTES, -EINVAL, -ENOMEM
 */
int call_reply(struct call *call, json_t *params);

/**
 * call_reply_continues() - one of several replies; the call must have "more"
 * @params: as above
 *
 * Never calls back into the caller: a client whose queue is full is dropped
 * by the event loop afterwards, and its gone callback comes then.
 *
 * Return: 0, -EPIPE where the client has gone or is about to be dropped, or
 * as call_reply()
 */
int call_reply_continues(struct call *call, json_t *params);

/**
 * call_reply_text(), call_reply_continues_text() - the same with @params as text
 * @params: of a JSON object, which is not looked at; stays the caller's
 * @size: its size in bytes
 *
 * For what is long, and made by printing it.
 */
int call_reply_text(struct call *call, const char *params, size_t size);
int call_reply_continues_text(struct call *call, const char *params, size_t size);

/**
 * call_error() - an error as the answer
 * @name: "org.example.Interface.Error"
 * @params: as above
 *
 * Return: as call_reply()
 */
int call_error(struct call *call, const char *name, json_t *params);

/** call_error_invalid() - InvalidParameter for the parameter @name */
int call_error_invalid(struct call *call, const char *name);

/** call_error_denied() - PermissionDenied */
int call_error_denied(struct call *call);

/** call_error_errno() - SystemError, or PermissionDenied for EPERM and EACCES */
int call_error_errno(struct call *call, int error);

/**
 * call_writable() - whether a stream should go on now
 *
 * False once SERVER_QUEUE_HIGH_BYTES wait for the client, or when it has gone;
 * stop then, the drained callback says when to go on.
 */
bool call_writable(const struct call *call);

/**
 * struct call_watch - what a stream wants to know
 * @drained: the queue has fallen to SERVER_QUEUE_LOW_BYTES after call_writable() was
 *	false; not called otherwise
 * @gone: the client has gone, nothing more can be said; called at most once, not
 *	after the last reply. Drop your references here.
 *
 * Both come from the event loop or from server_free(), never from within a
 * call_*() function; either may be NULL.
 */
struct call_watch {
	void (*drained)(struct call *call, void *userdata);
	void (*gone)(struct call *call, void *userdata);
};

/** call_set_watch() - @watch must outlive the call; NULL ends it */
void call_set_watch(struct call *call, const struct call_watch *watch, void *userdata);

#endif
