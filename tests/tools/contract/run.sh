#!/usr/bin/env bash
# The clients of the model providers against the providers' own documents: Prism (npm) stands between and refuses every
# request that a document does not describe. Everything it needs is kept below the build's target folder.
set -euo pipefail
cd "$(dirname "$0")/../../.."

PRISM=@stoplight/prism-cli@5.16.0
specs=${SPECS_DIR:-tests/contract}
[ -e "$specs/openai.contract.json" ] || { echo "SPECS_DIR ($specs) holds no documents: the project's own copies are used" >&2; specs=tests/contract; }
specs=$(cd "$specs" && pwd)
for program in node npm; do
    command -v "$program" >/dev/null || { echo "SKIPPED: the contract tests need $program, which is not here" >&2; exit 0; }
done

home=${CARGO_TARGET_DIR:-target}/contract
mkdir -p "$home"
home=$(cd "$home" && pwd)
if [ ! -x "$home/node_modules/.bin/prism" ] || [ "$(cat "$home/version" 2>/dev/null)" != "$PRISM" ]; then
    if ! npm install --prefix "$home" --no-audit --no-fund --ignore-scripts --loglevel=error "$PRISM" >&2; then
        echo "SKIPPED: npm cannot install $PRISM" >&2
        exit 0
    fi
    echo "$PRISM" > "$home/version"
fi

pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT
free_port() { node -e 's = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
# start NAME DOCUMENT: leaves its port in $port
start() {
    port=$(free_port)
    node "$home/node_modules/@stoplight/prism-cli/dist/index.js" mock --host 127.0.0.1 --port "$port" --errors "$specs/$2" >"$home/$1.log" 2>&1 &
    pids+=($!)
    for _ in $(seq 200); do
        grep -qs 'Prism is listening' "$home/$1.log" && return
        kill -0 "${pids[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "Prism did not start with $2:" >&2
    cat "$home/$1.log" >&2
    exit 1
}
start openai openai.contract.json
CONTRACT_OPENAI_URL=http://127.0.0.1:$port
start gemini gemini-v1beta.subset.openapi.json
CONTRACT_GEMINI_URL=http://127.0.0.1:$port
export CONTRACT_OPENAI_URL CONTRACT_GEMINI_URL SPECS_DIR=$specs
cargo test --locked --test it -- contract:: --include-ignored
