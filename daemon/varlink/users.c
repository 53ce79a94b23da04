/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each uid has in use, and how much of it there may be. */
#include "daemon/varlink/internal.h"
#include "lib/log.h"

struct user *user_get(struct server *server, uid_t uid)
{
	struct user *user;

	HASH_FIND(hh, server->users, &uid, sizeof(uid), user);
	if (!user) {
		user = calloc(1, sizeof(*user));
		if (!user)
			return NULL;
		user->uid = uid;
		user->server = server;
		HASH_ADD(hh, server->users, uid, sizeof(user->uid), user);
	}
	return user;
}

void user_put(struct user *user)
{
	if (user->connections == 0) {
		HASH_DELETE(hh, user->server->users, user);
		sd_event_source_disable_unref(user->turn);
		free(user);
	}
}

const char *user_over_limit(struct user *user, int *ret_max)
{
	const unsigned int n = user->server->n_connections;
	unsigned int total = SERVER_CONNECTIONS_MAX;

	if (user->uid != 0) {
		total -= SERVER_CONNECTIONS_ROOT;
		if (user->connections >= SERVER_CONNECTIONS_UID_MAX) {
			if (!user->warned)
				log_notice("uid %u has %u connections, refusing more",
					   (unsigned int)user->uid, user->connections);
			user->warned = true;
			*ret_max = SERVER_CONNECTIONS_UID_MAX;
			return "connections of one user";
		}
	}
	if (n >= total) {
		log_debug("%u connections, refusing one of uid %u", n, (unsigned int)user->uid);
		*ret_max = SERVER_CONNECTIONS_MAX;
		return "connections";
	}
	return NULL;
}

void user_connected(struct user *user)
{
	user->connections++;
	user->server->n_connections++;
}

void user_disconnected(struct user *user)
{
	user->server->n_connections--;
	user->connections--;
	if (user->connections < SERVER_CONNECTIONS_UID_MAX / 2)
		user->warned = false;
	user_put(user);
}

bool user_subscribe(struct user *user)
{
	if (user->uid != 0 && user->subscriptions >= SERVER_SUBSCRIPTIONS_UID_MAX)
		return false;
	user->subscriptions++;
	return true;
}
