#!/usr/bin/env bash
# Builds the drafts: specs/build.sh [--check]
#
# Prints the fragments, then makes .xml, .txt and .html of each draft, and runs idnits. With --check it
# writes nowhere but into a temporary folder, and fails when what is committed is stale. It installs
# nothing and needs no network: README.md says what has to be there.
set -euo pipefail
cd "$(dirname "$0")"

drafts='draft-trellis-mls-hybrid-kem-00 draft-trellis-mls-convergence-00'
out=build
check=
case "${1-}" in
    '') ;;
    --check) check=--check ;;
    *) echo 'usage: specs/build.sh [--check]' >&2; exit 2 ;;
esac
for tool in kramdown-rfc xml2rfc idnits; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: see specs/README.md" >&2; exit 2; }
done

# shellcheck disable=SC2086
cargo run -q --release -p trellis-specs -- $check

rm -rf "$out"
mkdir "$out"
export KRAMDOWN_OFFLINE=1
stale=0
for draft in $drafts; do
    kramdown-rfc --v3 "$draft.md" >"$out/$draft.v2.xml" 2>"$out/$draft.kramdown.log"
    # References are given in full, which it remarks on; anything else is a fault of ours.
    if grep -v 'explicit settings completely override canned bibxml' "$out/$draft.kramdown.log"; then
        echo "$draft.md is not clean" >&2
        exit 1
    fi
    # The forms that xml2rfc takes as its input changed; the newer one is what is submitted.
    xml2rfc --quiet --no-network --v2v3 "$out/$draft.v2.xml" -o "$out/$draft.xml"
    rm "$out/$draft.v2.xml"
    for form in text html; do
        file=$out/$draft.${form/text/txt}
        xml2rfc --quiet --no-network "--$form" "$out/$draft.xml" -o "$file"
        if [ -n "$check" ]; then
            cmp "$file" "$(basename "$file")" || stale=1
        else
            cp "$file" .
        fi
    done

    # Whether a reference is of lower standing, only the network tells: that it cannot be known is what
    # idnits calls POSSIBLE_DOWNREF. Every other error counts.
    idnits --offline --no-progress --output json "$out/$draft.txt" >"$out/$draft.idnits.json" 2>/dev/null || true
    python3 - "$out/$draft.idnits.json" <<'PY'
import json, sys
found = json.load(open(sys.argv[1]))["nits"]
errors = [nit for nit in found if nit["severity"] == "ValidationError" and nit["code"] != "POSSIBLE_DOWNREF"]
for nit in errors:
    print(nit["code"], nit["desc"], file=sys.stderr)
count = lambda kind: sum(nit["severity"] == kind for nit in found)
unknown = sum(nit["code"] == "POSSIBLE_DOWNREF" for nit in found)
print(f"{sys.argv[1].split('/')[-1]}: {len(errors)} errors, {unknown} references whose standing only the network "
      f"tells, {count('ValidationWarning')} warnings, {count('ValidationComment')} comments")
sys.exit(bool(errors))
PY
done
if [ "$stale" -ne 0 ]; then
    echo 'what is rendered is stale: run specs/build.sh and commit what it writes' >&2
    exit 1
fi
