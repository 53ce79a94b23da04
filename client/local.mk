# SPDX-License-Identifier: GPL-2.0-or-later
# All but main(), for the tests.
noinst_LTLIBRARIES += client/libpinctl.la
client_libpinctl_la_SOURCES = \
	client/base/call.c client/base/call.h \
	client/base/exit.c client/base/exit.h \
	client/base/list.c client/base/list.h \
	client/base/options.c client/base/options.h \
	client/base/output.c client/base/output.h \
	client/base/pinctl.h \
	client/base/scan.c client/base/scan.h \
	client/base/table.c client/base/table.h client/base/table-internal.h \
	client/base/table-print.c \
	client/base/table-tree.c \
	client/parts/busy.c client/parts/busy.h \
	client/parts/event.c client/parts/event.h \
	client/parts/failure.c client/parts/failure.h \
	client/parts/pin.c client/parts/pin.h \
	client/parts/place.c client/parts/place.h \
	client/parts/progress.c client/parts/progress.h \
	client/parts/remove.c client/parts/remove.h \
	client/parts/remove-dax.c \
	client/parts/remove-nd.c \
	client/parts/remove-run.c \
	client/parts/request.c client/parts/request.h \
	client/parts/request-show.c client/parts/request-show.h \
	client/parts/selector.c client/parts/selector.h \
	client/parts/self.c client/parts/self.h \
	client/parts/setting.c client/parts/setting.h \
	client/parts/sums.c client/parts/sums.h \
	client/parts/user.c client/parts/user.h \
	client/verbs/classify.c \
	client/verbs/drain.c \
	client/verbs/events.c \
	client/verbs/explain.c \
	client/verbs/failures.c \
	client/verbs/owners.c \
	client/verbs/pins.c \
	client/verbs/policy.c \
	client/verbs/quota.c \
	client/verbs/release.c \
	client/verbs/status.c \
	client/verbs/verb.h \
	client/verbs/who.c
client_libpinctl_la_CPPFLAGS = \
	$(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS) $(NDCTL_CFLAGS) $(DAXCTL_CFLAGS)
client_libpinctl_la_LIBADD = lib/libutil.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS) \
	$(NDCTL_LIBS) $(DAXCTL_LIBS)

bin_PROGRAMS += pinctl
pinctl_SOURCES = client/main.c
pinctl_LDADD = client/libpinctl.la

# Sanitizers cannot be linked statically.
pkglibexec_PROGRAMS += apply-own-quotas
apply_own_quotas_SOURCES = client/apply-own-quotas.c
if !ENABLE_SANITIZERS
apply_own_quotas_LDFLAGS = -all-static
endif
