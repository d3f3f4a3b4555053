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
# start NAME DOCUMENT [UPSTREAM]: leaves its port in $port; with an upstream it asks that instead of answering by itself
start() {
    port=$(free_port)
    node "$home/node_modules/@stoplight/prism-cli/dist/index.js" "$([ $# -gt 2 ] && echo proxy || echo mock)" \
        --host 127.0.0.1 --port "$port" --errors "$2" "${@:3}" >"$home/$1.log" 2>&1 &
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
start openai "$specs/openai.contract.json"
CONTRACT_OPENAI_URL=http://127.0.0.1:$port
start gemini "$specs/gemini-v1beta.subset.openapi.json"
CONTRACT_GEMINI_URL=http://127.0.0.1:$port
# Cal.com's document may not be copied, so it is here or it is not. Prism stands between our client and our stand-in, which
# the test starts at the port chosen here, and looks at both.
if [ -e "$specs/cal-v2.contract.json" ]; then
    CONTRACT_CALCOM_STANDIN=127.0.0.1:$(free_port)
    # Free times need no key, and Prism takes that for a ban on sending one. We send ours: calls with a key are counted by
    # key, all others by our address, which every company shares.
    node -e 'd = JSON.parse(require("fs").readFileSync(process.argv[1])); d.paths["/v2/slots"].get.security = [{}, {bearer: []}];
        require("fs").writeFileSync(process.argv[2], JSON.stringify(d))' "$specs/cal-v2.contract.json" "$home/calcom.json"
    start calcom "$home/calcom.json" "http://$CONTRACT_CALCOM_STANDIN/calcom"
    CONTRACT_CALCOM_URL=http://127.0.0.1:$port
    export CONTRACT_CALCOM_URL CONTRACT_CALCOM_STANDIN
else
    echo "SKIPPED: Cal.com's document (cal-v2.contract.json) is not in $specs" >&2
fi
export CONTRACT_OPENAI_URL CONTRACT_GEMINI_URL SPECS_DIR=$specs
cargo test --locked --test it -- contract:: --include-ignored
