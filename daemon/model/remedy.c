/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would let a pin through: commands and settings as they can be typed in. Names
 * in them are others', and are quoted for a shell.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/model/explain.h"
#include "lib/escape.h"
#include "lib/json.h"

#define MIB (UINT64_C(1) << 20)

/* Fit for a shell as it is, or in quotes; NULL when out of memory. */
static char *quote(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/_.@:,+=-";
	char *quoted, *at;

	if (*text && strspn(text, plain) == strlen(text))
		return strdup(text);
	quoted = at = malloc(4 * strlen(text) + 3);
	if (!quoted)
		return NULL;
	*at++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			at = stpcpy(at, "'\\''");
		else
			*at++ = *text;
	}
	strcpy(at, "'");
	return quoted;
}

/* A name as it is typed in; NULL when out of memory. */
static char *typed(const char *name)
{
	_cleanup_(freep) char *shown = escape_name(name);

	return shown ? quote(shown) : NULL;
}

/* A whole number of MiB, in the suffix of systemd and pinctl. */
static void format_mib(char buf[static 32], uint64_t bytes)
{
	if (bytes > INT64_MAX)
		snprintf(buf, 32, "infinity");
	else
		snprintf(buf, 32, "%" PRIu64 "M", (bytes + MIB - 1) / MIB);
}

static uint64_t round_up(uint64_t bytes)
{
	return bytes > INT64_MAX ? UINT64_MAX : (bytes + MIB - 1) / MIB * MIB;
}

_printf_(5, 6) static int add(json_t *array, const char *setting, const char *file,
			      const char *effect, const char *format, ...)
{
	_cleanup_(freep) char *command = NULL;
	json_t *json;
	va_list ap;
	int r = 0;

	if (format) {
		va_start(ap, format);
		r = vasprintf(&command, format, ap);
		va_end(ap);
	}
	if (r < 0) {
		command = NULL;
		return -ENOMEM;
	}
	json = json_pack("{s:o, s:o, s:o, s:s}", "command",
			 command ? json_string(command) : json_null(), "setting",
			 setting ? json_string(setting) : json_null(), "file",
			 file ? json_string(file) : json_null(), "effect", effect);
	return json_array_append_new(array, json) < 0 ? -ENOMEM : 0;
}

static const char *section_of(const char *unit)
{
	static const struct {
		const char *suffix, *section;
	} sections[] = {
		{ ".service", "Service" }, { ".socket", "Socket" },
		{ ".mount", "Mount" },	   { ".swap", "Swap" },
	};
	const char *suffix = unit ? strrchr(unit, '.') : NULL;

	for (size_t i = 0; suffix && i < ARRAY_SIZE(sections); i++)
		if (strcmp(suffix, sections[i].suffix) == 0)
			return sections[i].section;
	return NULL;
}

static int add_edit(json_t *array, const char *unit, bool of_user, const char *effect,
		    const char *size)
{
	_cleanup_(freep) char *name = typed(unit);
	char setting[128];

	if (!name)
		return -ENOMEM;
	snprintf(setting, sizeof(setting), "[%s]\nLimitMEMLOCK=%s", section_of(unit), size);
	return add(array, setting, NULL, effect, "systemctl %sedit %s%s", of_user ? "--user " : "",
		   *name == '-' ? "-- " : "", name);
}

/* Of a session: no unit sets its limits, but pam_limits when it begins. */
static int add_session(json_t *array, const struct explain_process *p, uint64_t bytes)
{
	char setting[96], domain[32] = "root";

	if (p->uid != 0)
		snprintf(domain, sizeof(domain), ":%" PRIu32, p->uid);
	if (bytes > INT64_MAX)
		snprintf(setting, sizeof(setting), "%s - memlock unlimited", domain);
	else
		snprintf(setting, sizeof(setting), "%s - memlock %" PRIu64, domain, bytes / 1024);
	return add(array, setting, "/etc/security/limits.d/memlock.conf",
		   "for sessions that begin afterwards", NULL);
}

static int add_prlimit(json_t *array, const struct explain_process *p, uint64_t bytes)
{
	static const char effect[] = "at once, and as long as the process lives";
	const char *colon = bytes <= p->hard_bytes ? ":" : "";

	if (bytes > INT64_MAX)
		return add(array, NULL, NULL, effect, "prlimit --pid %" PRIu32 " --memlock=unlimited%s",
			   p->pid, colon);
	return add(array, NULL, NULL, effect, "prlimit --pid %" PRIu32 " --memlock=%" PRIu64 "%s",
		   p->pid, bytes, colon);
}

static int add_rlimit(json_t *array, const struct explain_facts *f,
		      const struct explain_unit *unit, const struct pin_check *c)
{
	const struct explain_process *p = &f->process;
	const uint64_t bytes = round_up(c->needed);
	const char *start = "from its next start on";
	char size[32];
	int r = 0;

	format_mib(size, bytes);
	if (section_of(unit->user_unit)) {
		/* No higher than what its manager has. */
		if (p->pid && bytes > p->hard_bytes && section_of(unit->unit))
			r = add_edit(array, unit->unit, false, start, size);
		if (r >= 0)
			r = add_edit(array, unit->user_unit, true, start, size);
	} else if (section_of(unit->unit)) {
		r = add_edit(array, unit->unit, false, start, size);
	} else if (unit->unit && strncmp(unit->unit, "session-", 8) == 0 && p->pid) {
		r = add_session(array, p, bytes);
	} else {
		r = add(array, NULL, NULL, "what has started the process sets this limit: there is no "
			"unit that does", NULL);
	}
	if (r >= 0 && p->pid)
		r = add_prlimit(array, p, bytes);
	return r;
}

static int add_quota(json_t *array, const struct pin_check *c)
{
	_cleanup_(freep) char *name = c->cgroup ? typed(c->cgroup) : NULL;
	char size[32];

	if (!c->cgroup)
		return 0;
	if (!name)
		return -ENOMEM;
	format_mib(size, round_up(c->needed));
	return add(array, NULL, NULL, "at once", "pinctl quota set %s %s", name, size);
}

static int add_policy(json_t *array, const struct explain_facts *f, const struct pin_check *c)
{
	const char *cgroup = c->cgroup ?: f->process.cgroup;
	_cleanup_(freep) char *name = cgroup ? typed(cgroup) : NULL;

	if (!cgroup)
		return 0;
	if (!name)
		return -ENOMEM;
	return add(array, NULL, NULL, "at once", "pinctl policy set %s allow", name);
}

/* A file of cgroup2 is named by the raw bytes: those that cannot be shown are not. */
static int add_rdma(json_t *array, const char *mount, const struct pin_check *c)
{
	_cleanup_(freep) char *path = NULL, *shown = NULL, *name = NULL, *device = NULL;

	if (asprintf(&path, "%s%s/rdma.max", mount, strcmp(c->cgroup, "/") ? c->cgroup : "") < 0) {
		path = NULL;
		return -ENOMEM;
	}
	shown = escape_name(path);
	name = quote(path);
	device = escape_string(c->device);
	if (!shown || !name || !device)
		return -ENOMEM;
	if (strcmp(shown, path) != 0)
		return add(array, NULL, NULL, "raise hca_object in rdma.max of the cgroup", NULL);
	return add(array, NULL, NULL, "at once, until the cgroup goes",
		   "echo '%s hca_object=%" PRIu64 "' >%s", device, c->needed, name);
}

static int add_parameter(json_t *array, const char *module, const char *parameter,
			 uint64_t value, const char *effect)
{
	char setting[128], file[64];

	snprintf(setting, sizeof(setting), "options %s %s=%" PRIu64, module, parameter, value);
	snprintf(file, sizeof(file), "/etc/modprobe.d/%s.conf", module);
	return add(array, setting, file, effect, "echo %" PRIu64 " >/sys/module/%s/parameters/%s",
		   value, module, parameter);
}

json_t *remedies_json(const struct explain_facts *f, const struct explain_unit *unit,
		      const char *mount, const struct pin_check *c)
{
	_cleanup_json_ json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	if (r < 0 || !(c->first || c->state == CHECK_REFUSES || c->state == CHECK_DEVICE_MEMORY))
		return TAKE_PTR(array);
	switch (c->type) {
	case CHECK_RLIMIT:
		r = add_rlimit(array, f, unit, c);
		break;
	case CHECK_LIMIT:
		r = add_quota(array, c);
		break;
	case CHECK_POLICY:
		r = add_policy(array, f, c);
		break;
	case CHECK_RDMA_OBJECTS:
		r = add_rdma(array, mount, c);
		break;
	case CHECK_DMA_ENTRIES:
		r = add_parameter(array, "vfio_iommu_type1", "dma_entry_limit", c->needed,
				  "for containers that are opened afterwards");
		break;
	case CHECK_UDMABUF_SIZE:
		r = add_parameter(array, "udmabuf", "size_limit_mb", (c->needed + MIB - 1) / MIB,
				  "at once");
		break;
	case CHECK_REVOKE:
		r = add(array, NULL, NULL, "nothing does: that memory goes away; other memory can be "
			"pinned", NULL);
		break;
	}
	return r < 0 ? NULL : TAKE_PTR(array);
}
