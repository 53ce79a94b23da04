/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What requests are called: their tokens, and the words for what they are. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "daemon/release/internal.h"

static const char *const reasons[] = {
	[RELEASE_ADMINISTRATOR] = "administrator",
	[RELEASE_DRAIN] = "drain",
	[RELEASE_QUOTA] = "quota",
	[RELEASE_DEVICE_REMOVAL] = "device_removal",
	[RELEASE_MEMORY_OFFLINE] = "memory_offline",
	[RELEASE_MEMORY_FAILURE] = "memory_failure",
};

static const char *const phases[] = {
	[RELEASE_RUNNING] = "running",	   [RELEASE_DONE] = "done",
	[RELEASE_REFUSED] = "refused",	   [RELEASE_TIMED_OUT] = "timed_out",
	[RELEASE_CANCELLED] = "cancelled",
};

int release_new_token(char token[static RELEASE_TOKEN_LEN + 1])
{
	unsigned char bytes[RELEASE_TOKEN_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != sizeof(bytes))
		return -EAGAIN;
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(token + 2 * i, "%02x", bytes[i]);
	return 0;
}

const char *release_reason_name(enum release_reason reason)
{
	return reasons[reason];
}

const char *release_phase_name(enum release_phase phase)
{
	return phases[phase];
}

const char *release_mode_name(const struct release *release)
{
	return release->mode == RELEASE_SYNC ? "sync" : "async";
}
