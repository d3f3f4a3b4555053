#!/usr/bin/env bash
# Proves that the suite can fail: builds each deliberately broken product of mutants/*.patch in a copy of this tree and
# runs what must catch it. `tests/tools/verify/mutants.sh [NAME …]`; exit 1 when a mutant lives.
#
#   ack-before-t1           messages leave the mailbox before they are stored     crash-at-k, process-kills, store-kills
#   no-fence                a claim that was overtaken still commits and sends    paused-worker, then the suite
#   dedupe-without-storing  an id is seen although its message was refused        redis-trouble, process-kills
#   session-search-path     role and path outlive the transaction                 wall::
set -euo pipefail
tree=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
patches="$tree/tests/tools/verify/mutants"
copy=$(mktemp -d)
trap 'rm -rf -- "$copy"' EXIT
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(ack-before-t1 no-fence dedupe-without-storing session-search-path)
git -C "$tree" ls-files -z | tar -C "$tree" --null -T - -c | tar -C "$copy" -x
# Shared by all mutants, so that dependencies are compiled once.
export CARGO_TARGET_DIR=${MUTANTS_TARGET_DIR:-$copy/target}
cd "$copy"
attack() {
    local args=()
    for name in "$@"; do args+=(--only "$name"); done
    cargo test --locked -q --test verify -- --quick --no-page --seed 1 "${args[@]}"
}
lived=0
for name in "${names[@]}"; do
    patch -s -p1 <"$patches/$name.patch"
    case $name in
    ack-before-t1) run=(attack crash-at-k store-kills process-kills) ;;
    no-fence) run=(attack paused-worker) ;;
    dedupe-without-storing) run=(attack process-kills redis-trouble) ;;
    session-search-path) run=(cargo test --locked -q --test it wall::) ;;
    esac
    if out=$("${run[@]}" 2>&1); then
        echo "LIVED   $name: ${run[*]}"
        lived=1
    elif grep -q "^error\[\|^error: could not compile" <<<"$out"; then
        echo "BROKEN  $name does not build"
        lived=1
    else
        echo "caught  $name: ${run[*]}"
        grep -E "VIOLATION|panicked|FAILED" <<<"$out" | cut -c1-200 | head -4 | sed 's/^/          /' || true
    fi
    patch -s -p1 -R <"$patches/$name.patch"
done
exit $lived
