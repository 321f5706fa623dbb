# SPDX-License-Identifier: MIT
# Golden vectors, written by generate.mjs with npm yjs and replayed without
# node by tests/unit/test_vectors.c. generate.mjs writes this list as well.
EXTRA_DIST += tests/vectors/generate.mjs \
	tests/vectors/updates.mjs \
	tests/vectors/vector.mjs \
	tests/vectors/any-special.vec \
	tests/vectors/any.vec \
	tests/vectors/awareness.vec \
	tests/vectors/big.vec \
	tests/vectors/binary.vec \
	tests/vectors/bug-cleaned-new.vec \
	tests/vectors/bug-equal-clocks.vec \
	tests/vectors/bug-merge-room.vec \
	tests/vectors/bug-noted-text.vec \
	tests/vectors/conflict-empty.vec \
	tests/vectors/conflict.vec \
	tests/vectors/deleted.vec \
	tests/vectors/diff.vec \
	tests/vectors/duplicates.vec \
	tests/vectors/embed.vec \
	tests/vectors/empty.vec \
	tests/vectors/format-nested.vec \
	tests/vectors/format.vec \
	tests/vectors/gc.vec \
	tests/vectors/history-all.vec \
	tests/vectors/history-array.vec \
	tests/vectors/history-format.vec \
	tests/vectors/history-map.vec \
	tests/vectors/history-mixed.vec \
	tests/vectors/history-nested.vec \
	tests/vectors/history-text.vec \
	tests/vectors/history-xml.vec \
	tests/vectors/json.vec \
	tests/vectors/map.vec \
	tests/vectors/merge.vec \
	tests/vectors/pending-content.vec \
	tests/vectors/pending-deletes.vec \
	tests/vectors/pending.vec \
	tests/vectors/reject.vec \
	tests/vectors/roots.vec \
	tests/vectors/skip.vec \
	tests/vectors/string.vec \
	tests/vectors/subdoc.vec \
	tests/vectors/surrogates.vec \
	tests/vectors/sync.vec \
	tests/vectors/type-array.vec \
	tests/vectors/type-map.vec \
	tests/vectors/type-text.vec \
	tests/vectors/type-xml-element.vec \
	tests/vectors/type-xml-fragment.vec \
	tests/vectors/type-xml-hook.vec \
	tests/vectors/type-xml-text.vec \
	tests/vectors/undo.vec \
	tests/vectors/updates-merge.vec \
	tests/vectors/v2-convert.vec \
	tests/vectors/v2-doc.vec \
	tests/vectors/xml.vec
