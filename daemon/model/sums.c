/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/model/render.h"
#include "daemon/model/sums.h"
#include "lib/json.h"

struct sum_key {
	uint64_t number; /* of the process, the cgroup or the kind */
	char device[PINGUARD_DEVICE_NAME_MAX];
};

struct sum {
	UT_hash_handle hh;
	struct sum_key key;
	unsigned int index;
	uint64_t pins, bytes, distinct_bytes;
	uint64_t oldest_usec; /* UINT64_MAX for none that says so */
	bool unplaced; /* with pins whose address nobody knows */
	/* Of the first pin; what does not belong to the key may be another pin's. */
	uint32_t tgid, uid, kind;
	uint8_t comm_len, comm[PIN_COMM_MAX];
	struct cgroup_node *cgroup; /* a reference */
};

/* What a pin covers in its process. */
struct span {
	unsigned int sum;
	uint32_t tgid;
	uint64_t first, last;
};

struct sums {
	enum sum_by by;
	struct sum *all;
	struct span *spans;
	size_t n_spans, size;
	bool too_many;
	/* Whose sum was looked for last: pins come in the order in which they were made. */
	struct sum *found;
	struct sum_key found_key;
};

int sums_parse_by(const char *name, enum sum_by *ret)
{
	static const char *const names[] = {
		[SUM_BY_PROCESS] = "process",
		[SUM_BY_CGROUP] = "cgroup",
		[SUM_BY_DEVICE] = "device",
		[SUM_BY_KIND] = "kind",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

struct sums *sums_new(enum sum_by by)
{
	struct sums *s = calloc(1, sizeof(*s));

	if (s)
		s->by = by;
	return s;
}

struct sums *sums_free(struct sums *s)
{
	struct sum *sum, *tmp;

	if (!s)
		return NULL;
	HASH_ITER(hh, s->all, sum, tmp) {
		HASH_DEL(s->all, sum);
		cgroup_node_unref(sum->cgroup);
		free(sum);
	}
	free(s->spans);
	free(s);
	return NULL;
}

static struct sum_key key_of(const struct sums *s, const struct pin_origin *origin)
{
	struct sum_key key;

	memset(&key, 0, sizeof(key));
	switch (s->by) {
	case SUM_BY_PROCESS:
		key.number = origin->tgid;
		break;
	case SUM_BY_CGROUP:
		key.number = origin->cgroup ? origin->cgroup->id : 0;
		break;
	case SUM_BY_DEVICE:
		memcpy(key.device, origin->device, sizeof(key.device));
		key.number = origin->kind;
		break;
	case SUM_BY_KIND:
		key.number = origin->kind;
		break;
	}
	return key;
}

static struct sum *sum_new(struct sums *s, const struct sum_key *key,
			   const struct pin_origin *origin)
{
	struct sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->key = *key;
	sum->index = HASH_COUNT(s->all);
	sum->oldest_usec = UINT64_MAX;
	sum->tgid = origin->tgid;
	sum->uid = origin->uid;
	sum->kind = origin->kind;
	sum->comm_len = origin->comm_len;
	memcpy(sum->comm, origin->comm, sum->comm_len);
	HASH_ADD(hh, s->all, key, sizeof(sum->key), sum);
	if (!sum->hh.tbl) {
		free(sum);
		return NULL;
	}
	sum->cgroup = cgroup_node_ref(origin->cgroup);
	return sum;
}

static struct sum *sum_of(struct sums *s, const struct pin_origin *origin)
{
	struct sum_key key = key_of(s, origin);

	if (s->found && memcmp(&key, &s->found_key, sizeof(key)) == 0)
		return s->found;
	s->found_key = key;
	HASH_FIND(hh, s->all, &key, sizeof(key), s->found);
	if (!s->found)
		s->found = sum_new(s, &key, origin);
	return s->found;
}

static int add_span(struct sums *s, struct sum *sum, const struct pin *pin)
{
	struct span *spans;
	size_t size;

	if (!pin->address || !pin->bytes || pin->bytes - 1 > UINT64_MAX - pin->address) {
		sum->unplaced = true;
		return 0;
	}
	if (s->too_many || s->n_spans == SUMS_DISTINCT_PINS_MAX) {
		s->too_many = true;
		return 0;
	}
	if (s->n_spans == s->size) {
		size = MIN(MAX(2 * s->size, (size_t)64), (size_t)SUMS_DISTINCT_PINS_MAX);
		spans = realloc(s->spans, size * sizeof(*spans));
		if (!spans)
			return -ENOMEM;
		s->spans = spans;
		s->size = size;
	}
	s->spans[s->n_spans++] = (struct span){
		.sum = sum->index,
		.tgid = pin->origin->tgid,
		.first = pin->address,
		.last = pin->address + pin->bytes - 1,
	};
	return 0;
}

int sums_note(struct sums *s, const struct pin *pin)
{
	struct sum *sum = sum_of(s, pin->origin);

	if (!sum)
		return -ENOMEM;
	if (pin->since_usec && !(pin->flags & PIN_FLAG_FOUND))
		sum->oldest_usec = MIN(sum->oldest_usec, pin->since_usec);
	return add_span(s, sum, pin);
}

int sums_count(struct sums *s, const struct pin_origin *origin, uint64_t pins, uint64_t bytes)
{
	struct sum *sum = sum_of(s, origin);

	if (!sum)
		return -ENOMEM;
	sum->pins += pins;
	sum->bytes += bytes;
	return 0;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *p = a, *q = b;

	if (p->sum != q->sum)
		return p->sum < q->sum ? -1 : 1;
	if (p->tgid != q->tgid)
		return p->tgid < q->tgid ? -1 : 1;
	return (p->first > q->first) - (p->first < q->first);
}

/* What is covered twice in one process counts once. */
static void measure(struct sums *s, struct sum **by_index)
{
	const struct span *last = NULL;
	uint64_t end = 0;

	if (s->n_spans > 0)
		qsort(s->spans, s->n_spans, sizeof(*s->spans), compare_spans);
	for (size_t i = 0; i < s->n_spans; i++) {
		const struct span *span = &s->spans[i];
		bool fresh = !last || last->sum != span->sum || last->tgid != span->tgid ||
			     span->first > end;

		if (fresh)
			by_index[span->sum]->distinct_bytes += span->last - span->first + 1;
		else if (span->last > end)
			by_index[span->sum]->distinct_bytes += span->last - end;
		end = fresh ? span->last : MAX(end, span->last);
		last = span;
	}
}

static int larger_first(const void *a, const void *b)
{
	const struct sum *p = *(struct sum *const *)a, *q = *(struct sum *const *)b;

	if (p->bytes != q->bytes)
		return p->bytes > q->bytes ? -1 : 1;
	if (p->pins != q->pins)
		return p->pins > q->pins ? -1 : 1;
	return p->index < q->index ? -1 : 1;
}

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

static json_t *sum_json(const struct sums *s, const struct sum *sum)
{
	const bool process = s->by == SUM_BY_PROCESS, device = s->by == SUM_BY_DEVICE;
	const bool distinct = !s->too_many && !sum->unplaced;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "pid", process ? json_integer(sum->tgid) : json_null(),
			 "comm", process ? json_escaped(sum->comm, sum->comm_len) : json_null(),
			 "uid", process && sum->uid != PIN_UID_NONE ? json_integer(sum->uid) : json_null(),
			 "cgroup", process || s->by == SUM_BY_CGROUP ? render_path(sum->cgroup) : json_null(),
			 "device", render_string(device && *sum->key.device ? sum->key.device : NULL),
			 "kind", device || s->by == SUM_BY_KIND ?
					 json_string(render_kind(sum->kind)) : json_null(),
			 "pins", integer(sum->pins),
			 "bytes", integer(sum->bytes),
			 /* one that went while it was looked at is in one of them alone */
			 "distinct_bytes", distinct ? integer(MIN(sum->distinct_bytes, sum->bytes)) : json_null(),
			 "oldest_usec", sum->oldest_usec != UINT64_MAX ? integer(sum->oldest_usec) : json_null());
}

static json_t *sorted_json(const struct sums *s, struct sum **sorted, size_t n)
{
	_cleanup_json_ json_t *array = json_array();
	uint64_t pins = 0, bytes = 0;
	size_t i, left_out = 0, names_bytes = 0;

	for (i = 0; array && i < n; i++) {
		pins += sorted[i]->pins;
		bytes += sorted[i]->bytes;
		/* gone since it was noted */
		if (sorted[i]->pins == 0)
			continue;
		if (i >= SUMS_MAX || names_bytes > RENDER_NAMES_BYTES) {
			left_out++;
			continue;
		}
		if (json_array_append_new(array, sum_json(s, sorted[i])) < 0)
			return NULL;
		names_bytes += render_names_bytes(json_array_get(array, json_array_size(array) - 1));
	}
	if (!array)
		return NULL;
	return json_pack("{s:O, s:I, s:o, s:o}", "sums", array, "omitted", (json_int_t)left_out,
			 "pins", integer(pins), "bytes", integer(bytes));
}

json_t *sums_json(struct sums *s)
{
	const size_t n = HASH_COUNT(s->all);
	_cleanup_(freep) struct sum **sums = calloc(n + 1, sizeof(*sums));
	struct sum *sum;

	if (!sums)
		return NULL;
	for (sum = s->all; sum; sum = sum->hh.next)
		sums[sum->index] = sum;
	measure(s, sums);
	qsort(sums, n, sizeof(*sums), larger_first);
	return sorted_json(s, sums, n);
}
