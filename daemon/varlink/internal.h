/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_SERVER_INTERNAL_H
#define PINGUARD_SERVER_INTERNAL_H

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

struct server {
	sd_event *event;
	struct server_config config;
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
	const struct method *method; /* NULL where it is unknown */
	bool more, oneway;
	bool answered, subscribed;
	bool blocked; /* the drained callback is owed */
	const struct call_watch *watch;
	void *watch_userdata;
};

/* server.c */
void server_forget(struct server *server, struct connection *connection);

/* connection.c */
int connection_new(struct server *server, int fd, struct peer *peer, struct user *user);
struct connection *connection_ref(struct connection *connection);
struct connection *connection_unref(struct connection *connection);
void connection_close(struct connection *connection);
/* The turn of a user's connections. */
int connection_on_turn(sd_event_source *source, void *userdata);
/* Have the loop send, dispatch and close whatever is due. */
void connection_schedule(struct connection *connection);
void connection_drop(struct connection *connection, const char *why);
DEFINE_CLEANUP(struct connection *, connection_unref);

/* call.c */
int call_dispatch(struct connection *connection, json_t *message);
void call_drained(struct call *call);
void call_gone(struct call *call);

/* service.c: the methods of org.varlink.service, with the server as userdata */
extern const struct method service_methods[];
extern const struct server_interface service_interface;

/* idl.c, made by the build: the .varlink file */
extern const char idl_org_varlink_service[];

#endif
