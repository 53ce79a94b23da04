/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_PUBLIC_H
#define PINGUARD_PUBLIC_H

/* What libpinguard.sym names is defined with this; all else is hidden. */
#define _public_ __attribute__((visibility("default")))

#endif
