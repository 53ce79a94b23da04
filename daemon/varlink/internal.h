/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of this folder alone, each of which names none but those
 * above it: users, connection, call, dispatch, service, server.
 */
#ifndef PINGUARD_VARLINK_INTERNAL_H
#define PINGUARD_VARLINK_INTERNAL_H

#include <stdint.h>
#include <uthash.h>

#include "daemon/varlink/server.h"

/* What one uid has in use. */
struct user {
	uid_t uid;
	unsigned int connections, subscriptions;
	bool warned; /* of its limit of connections */
	struct server *server;
	/* Those with a message to be taken up; each turn takes one of one of them. */
	struct connection *ready;
	sd_event_source *turn;
	UT_hash_handle hh;
};

struct listener {
	struct server *server;
	sd_event_source *source;
	struct listener *next;
};

struct connection;

/* What a connection tells whoever takes up its messages. */
struct connection_watch {
	/* 0; -EINVAL: it is none of varlink's calls; other errors are fatal */
	int (*message)(struct connection *connection, json_t *message);
	/* the queue is short again: once, after connection->blocked was set */
	void (*drained)(struct connection *connection);
	/* while it had a call */
	void (*gone)(struct connection *connection);
};

struct method_table {
	const struct method *all;
	void *userdata;
};

struct server {
	sd_event *event;
	struct server_config config;
	/* org.varlink.service, and the config's */
	struct method_table methods[2];
	struct server_interface *interfaces; /* ends with a NULL name */
	const struct connection_watch *watch;
	struct listener *listeners;
	sd_event_source *resume; /* accepting, after a pause */
	struct connection *connections;
	unsigned int n_connections;
	struct user *users;
};

/* Counted references: of the server while it is open, and of each call. */
struct connection {
	unsigned int n_ref;
	struct server *server; /* NULL once closed */
	struct user *user;
	struct peer peer;
	int fd;
	sd_event_source *io, *work, *deadline;
	bool deadline_armed, deadline_stale;
	struct varlink_reader reader;
	struct varlink_writer writer;
	struct call *call; /* the one being answered; it holds a reference, we do not */
	bool blocked;	   /* the watch is owed a call when the queue is short */
	bool ready;	   /* in the user's list */
	bool hungry;	   /* there is no whole message left in the reader */
	bool eof;	   /* the client sends no more */
	bool deaf;	   /* it reads no more */
	bool closing;	   /* once the queue is empty */
	bool dropped;	   /* in the next round, without waiting for the queue */
	struct connection *prev, *next;
	struct connection *ready_prev, *ready_next;
};

struct call {
	unsigned int n_ref;
	struct connection *connection;
	json_t *message;
	const char *method_name;
	bool more, oneway;
	bool answered, subscribed;
	const struct call_watch *watch;
	void *watch_userdata;
};

/* users.c */
/* With user_put(), for the uid may have nothing yet; NULL when out of memory. */
struct user *user_get(struct server *server, uid_t uid);
void user_put(struct user *user);
/* The limit that one more connection were over, for people; NULL for none. */
const char *user_over_limit(struct user *user, int *ret_max);
void user_connected(struct user *user);
void user_disconnected(struct user *user); /* the last time it goes with it */
bool user_subscribe(struct user *user); /* false where it is one too many */

/* connection.c */
int connection_new(struct server *server, int fd, struct peer *peer, struct user *user);
struct connection *connection_ref(struct connection *connection);
struct connection *connection_unref(struct connection *connection);
void connection_close(struct connection *connection);
/* Have the loop send, dispatch and close whatever is due. */
void connection_schedule(struct connection *connection);
void connection_drop(struct connection *connection, const char *why);
DEFINE_CLEANUP(struct connection *, connection_unref);

/* call.c */
/* An error of the interface that is called, else of the config's error_interface. */
int call_error_own(struct call *call, const char *error, json_t *params);
/* Of struct connection_watch. */
void call_drained(struct connection *connection);
void call_gone(struct connection *connection);

/* dispatch.c */
int call_dispatch(struct connection *connection, json_t *message);

/* service.c: the methods of org.varlink.service, with the server as userdata */
extern const struct method service_methods[];
extern const struct server_interface service_interface;

/* idl.c, made by the build: the .varlink file */
extern const char idl_org_varlink_service[];

#endif
