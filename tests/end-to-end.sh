#!/usr/bin/env bash
# From a fresh clone to an answering URL, through a lost directory and killed processes, to nothing left.
#
#   tests/end-to-end.sh [REPOSITORY]
#
# Clones REPOSITORY (default: the one this script is in, as of its last commit) into a temporary directory and does there
# what a developer does. Needs git, cargo, terraform, curl, ps, ss and python3. Prints what each step took.
set -euo pipefail

repository=$(cd "${1:-$(dirname "$0")/..}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/menagerie-end-to-end.XXXXXX")
clone=$work/clone
name=
mirror=

fail() { echo "FAILED: $*" >&2; exit 1; }
step() { printf '%6.1f s  %s\n' "$(bc_seconds)" "$*"; started=$EPOCHREALTIME; }
bc_seconds() { local now=$EPOCHREALTIME; echo "$(( (${now/./} - ${started/./}) / 100000 ))" | sed -E 's/(.)$/.\1/'; }
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed -E 's/.*: *"(.*)"/\1/'; }

leave() {
    status=$?
    if [ -n "$name" ] && [ -d "$clone/.git/menagerie/envs/$name/local" ]; then
        for provider in "$clone/.git/menagerie/envs/$name/local/bin/"menagerie-provider-*; do
            "$provider" down --dir "$clone/.git/menagerie/envs/$name/local" >/dev/null || true
        done
    fi
    [ -z "$mirror" ] || kill "$mirror" 2>/dev/null || true
    rm -rf "$work"
    exit $status
}
trap leave EXIT

# What runs for this clone, what listens on this machine, and what lies in the data roots.
processes() { ps -eo pid=,args= | grep -F -e "$clone/.git/" -e /var/lib/menagerie/ | grep -v 'grep -F' | sort || true; }
listeners() { ss -ltnH | awk '{print $4}' | sort; }
files() { (cd "$clone" && find .git/menagerie /var/lib/menagerie "${TMPDIR:-/tmp}/menagerie-$(id -u)" 2>/dev/null | sort) || true; }
snapshot() { processes >"$work/$1.processes"; listeners >"$work/$1.listeners"; files >"$work/$1.files"; }

started=$EPOCHREALTIME
git clone --quiet "$repository" "$clone"
cd "$clone"
git config user.name 'End to end'
git config user.email 'end-to-end@example.invalid'
git checkout --quiet -b environments
mkdir -p .git/menagerie
snapshot before
step 'clone'

answer=$(cargo xtask env up --format json)
name=$(field name <<<"$answer")
url=$(field url <<<"$answer")
for key in name url path owner expires phase; do
    [ -n "$(field $key <<<"$answer")" ] || fail "\`env up --format json\` has no \`$key\`: $answer"
done
step "from the clone to an answering URL: $name at $url"

[ "$(curl -s -o "$work/page" -w '%{http_code}' "$url")" = 200 ] || fail "$url does not answer 200"
grep -q "$name" "$work/page" || fail "the page does not name $name"
curl -fsS -o /dev/null -H 'content-type: application/json' -d '{"name":"Ada","message":"kept through a crash"}' "$url/entries"
step 'the page names the environment, and a row is written'

cargo xtask env test "$name" >/dev/null || fail "$name does not pass its tests"
step "\`env test\`: health, a write, a read, and the application's own tests"

git add tf/envs && git commit --quiet -m "Environment $name"
git checkout --quiet --detach HEAD~1
git clean --quiet -fdx
[ ! -e "tf/envs/$name" ] || fail "the directory is still there"
cargo xtask env list | grep -q "$name" || fail "\`env list\` forgot $name"
step 'another commit and `git clean -fdx`: still listed'

local_directory=$clone/.git/menagerie/envs/$name/local
status=$("$local_directory/bin/"menagerie-provider-* status --dir "$local_directory")
pids=$(grep -oE '"pid": *[0-9]+' <<<"$status" | grep -oE '[0-9]+')
supervisor=$(tr -d '\n' <<<"$status" | grep -oE '"supervisor": *\{[^}]*\}' | grep -oE '[0-9]+')
replica=$(tr -d '\n' <<<"$status" | grep -oE '"replicas": *\[[^]]*\]' | grep -oE '"pid": *[0-9]+' | head -n 1 | grep -oE '[0-9]+')
[ -n "$pids" ] && [ -n "$supervisor" ] && [ -n "$replica" ] || fail "nothing to kill in $status"
kill -9 "$supervisor" "$replica"
! curl -s -m 2 -o /dev/null "$url" || fail "$url still answers"
step 'supervisor and replica killed'

cargo xtask env apply "$name" >/dev/null
curl -fsS "$url/entries" | grep -q 'kept through a crash' || fail 'the row is gone'
step '`env apply` healed it, with the same row'

cargo xtask env destroy "$name" --confirm "$name" >/dev/null
step 'destroyed'

snapshot after
for kind in processes listeners; do
    diff "$work/before.$kind" "$work/after.$kind" || fail "$kind are not what they were"
done
left=$(diff "$work/before.files" "$work/after.files" | grep '^[<>]' |
    grep -v -E "^> \.git/menagerie/(envs|journals|certificates|unfinished|lock|ledger\.jsonl|journals/$name\.jsonl|certificates/$name\.json)$" || true)
[ -z "$left" ] || fail "left behind: $left"
[ "$(grep -c "\"$name\"" .git/menagerie/ledger.jsonl)" = 1 ] || fail 'the name is not in the ledger'
grep -q "$name" ".git/menagerie/certificates/$name.json" || fail 'there is no certificate'
name=
step 'nothing is left but the name, the journal and the certificate'

cargo xtask comply --hosting ec2_docker --hosting ec2_compose --hosting ecs --hosting eks --hosting kubernetes --hosting nomad \
    --format json >"$work/comply.json" || fail 'comply has findings'
python3 - "$work/comply.json" <<'JUDGED' || fail 'a rehearsed plan has findings'
import json, sys
report = json.load(open(sys.argv[1]))
bad = [finding for finding in report["findings"] if finding["source"] == "plan" and finding["verdict"] in ("fail", "error")]
sys.exit(f"{bad}" if bad or report["resources"] < 200 or not report["rehearsal"] else 0)
JUDGED
step 'the rehearsed plan of each hosting is judged, and no rule finds anything in it'

# The machine's own Terraform, packed as a release of a version of our making, and served by a mirror on loopback.
version=0.0.1
mkdir -p "$work/mirror/terraform/$version"
python3 - "$(readlink -f "$(command -v terraform)")" "$work/mirror/terraform/$version" <<'PACK'
import platform, sys, zipfile
system = platform.system().lower()
machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
with zipfile.ZipFile(f"{sys.argv[2]}/terraform_0.0.1_{system}_{machine}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    archive.write(sys.argv[1], "terraform")
PACK
sum=$(sha256sum "$work/mirror/terraform/$version/"*.zip | cut -d ' ' -f 1)
python3 -u -m http.server --bind 127.0.0.1 --directory "$work/mirror" 0 >"$work/mirror.log" 2>&1 &
mirror=$!
for _ in $(seq 100); do grep -q 'http://' "$work/mirror.log" && break; sleep 0.1; done
origin=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$work/mirror.log" | head -n 1)
! cargo xtask setup --from "$origin" --terraform $version --sha256 "${sum//[0-9]/0}" || fail 'an archive with another checksum was taken'
[ ! -e .git/menagerie/tools/terraform ] || fail 'what was refused is there'
tool=$(cargo xtask setup --from "$origin" --terraform $version --sha256 "$sum")
# It is used instead of the one on the PATH.
cargo xtask doctor | grep -qF "$tool" || fail 'doctor does not know the Terraform that setup fetched'
cargo xtask env up small-owl --set database_engine=sqlite >/dev/null
name=small-owl
cargo xtask env destroy small-owl --confirm small-owl >/dev/null
name=
step '`setup` fetched a Terraform, refused another file, and an environment was made with it'
