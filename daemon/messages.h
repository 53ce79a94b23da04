/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids of the messages that systemd/pinguard.catalog explains. */
#ifndef PINGUARD_MESSAGES_H
#define PINGUARD_MESSAGES_H

#define MESSAGE_UNCONTROLLED	"6f20b0f9b44844a1968c4409ff17322a"
#define MESSAGE_QUOTA_SET	"8c1f974326e1407fa27aa7ef0311a360"
#define MESSAGE_QUOTA_CLEARED	"4610c75da5aa48de9569181abb2e62c3"
#define MESSAGE_QUOTAS_CORRUPT	"9107d2d63ca349b3bda43d5630f4e103"
#define MESSAGE_OBSERVING	"aed4c024f328449b91ab95768a6430e8"

#endif
