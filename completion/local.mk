# SPDX-License-Identifier: GPL-2.0-or-later
# Found by the name of the command.
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
dist_bashcompletion_DATA = completion/bash/pinctl
dist_zshcompletion_DATA = completion/zsh/_pinctl
