# SPDX-License-Identifier: MIT
# Two programs for those who use the library. They are installed as text, and
# built by their users; tests/examples/check.sh builds and runs them, against
# an installed libyjs.
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	src/examples/merge-updates.c \
	src/examples/two-editors.c
