# Prints FILE:LINE:TEXT of Rust sources without what only tests and readers see: comment lines, and everything from
# `#[cfg(test)] mod NAME {` on (in this house the test module ends its file).
FNR == 1 { in_tests = 0; after_cfg = 0 }
in_tests { next }
/^[[:space:]]*\/\// { next }
/^[[:space:]]*#\[cfg\(test\)\][[:space:]]*$/ { after_cfg = 1; next }
after_cfg && /^[[:space:]]*(pub(\([a-z]+\))?[[:space:]]+)?mod[[:space:]]+[a-z_0-9]+[[:space:]]*\{/ { in_tests = 1; next }
/^[[:space:]]*#\[/ && after_cfg { next }
{ after_cfg = 0; print FILENAME ":" FNR ":" $0 }
