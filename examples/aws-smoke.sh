#!/bin/bash
# Runs ragstack once against a real AWS account, and reports each thing that the tests cannot show,
# since they know AWS by its documentation, its published models and an emulator alone.
#
#   examples/aws-smoke.sh            asks, makes a small stack, looks, changes, takes it down again
#   examples/aws-smoke.sh --list     the items, without doing anything
#
# It costs about a dollar (an RDS instance and an interface endpoint for about an hour) and takes 40 to
# 60 minutes. Credentials and region as for the AWS CLI: AWS_PROFILE, AWS_REGION. Wanted beside
# ragstack: bash, curl 7.75 or later, jq, and the aws command (for the items that change something
# behind ragstack's back). Whatever happens, the stack is taken down at the end; when that fails, the
# last lines say what is left and how to go on.
#
#   --yes            do not ask
#   --keep           leave the stack standing
#   --report FILE    the report goes there, too (default: aws-smoke-report.md)
# shellcheck disable=SC2317 # items are called by name
set -uo pipefail

items=(
    "signature|every service accepts the signatures: a diff of the whole stack is answered"
    "prices|the Price List API tells every price of the table, under the usage types that it has"
    "up|up from nothing comes to its end, with RDS's IAM master user and functions in a VPC"
    "empty|the diff after it is empty: AWS's own defaults are what the field tables say"
    "readonly|a diff changes nothing: not one changing call in its trace"
    "health|the handler's static program starts on Lambda, and answers its health event"
    "api|the API answers a signed request"
    "question|the schema function made the tables: a document is taken in, and a question about it answered"
    "closed|the API refuses an unsigned request"
    "bucket|the bucket refuses a request without TLS"
    "event|an object that is put into the documents bucket becomes a document"
    "status|status finds every resource healthy"
    "logs|logs shows the lines of that health event"
    "watch|the question's line has become metrics that watch reads, and Logs Insights adds up what the lines add up to"
    "ls|the tagging API lists the stack"
    "drift|a change behind our back is found and named, and up repairs only that"
    "change|one changed memory size is one function's change, and the diff after it is empty"
    "killed|an up that is killed in the middle is finished by the next up"
    "lock|two ups at once: one works, the other says who holds the lock (S3's conditional writes)"
    "history|the deployments are in the history"
    "down|down comes to its end: Lambda lets go of its network interfaces, nothing owned is left"
    "snapshot|the database left a last snapshot"
)

title_of() {
    local row
    for row in "${items[@]}"; do
        [[ ${row%%|*} == "$1" ]] && printf '%s' "${row#*|}"
    done
}

sure='' keep='' report=aws-smoke-report.md
while (($#)); do
    case $1 in
    --list)
        for row in "${items[@]}"; do printf '%s\n' "${row#*|}"; done
        exit 0
        ;;
    --yes) sure=1 ;;
    --keep) keep=1 ;;
    --report)
        report=$2
        shift
        ;;
    *)
        sed -n '2,16s/^# \{0,1\}//p' "$0"
        exit 64
        ;;
    esac
    shift
done

ragstack=${RAGSTACK:-ragstack}
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
folder=$(mktemp -d)
name=smoke-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
declare -A outcome seconds remark
emulator=${AWS_ENDPOINT_URL:-}

for program in "$ragstack" curl jq; do
    command -v "$program" >/dev/null || { echo "error: $program is not there" >&2; exit 1; }
done

# -- items ----------------------------------------------------------------------------------------

# item NAME COMMAND...: its outcome is the command's; what it wrote is kept.
item() {
    local key=$1 start=$SECONDS status=0
    shift
    printf '%-10s %s ... ' "$key" "$(title_of "$key")"
    "$@" >"$folder/$key.log" 2>&1 || status=$?
    seconds[$key]=$((SECONDS - start))
    case $status in
    0) outcome[$key]=seen ;;
    77) outcome[$key]=skipped ;;
    *) outcome[$key]=FAILED ;;
    esac
    [[ $status == 0 ]] || remark[$key]=$(tail -n 1 "$folder/$key.log")
    printf '%s (%d s)\n' "${outcome[$key]}" "${seconds[$key]}"
    [[ $status == 0 || $status == 77 ]] || tail -n 15 "$folder/$key.log" | sed 's/^/    /'
}

skip() { echo "$*"; exit 77; }
fail() { echo "$*"; exit 1; }
# Exit status of ragstack must be the first argument.
expect() {
    local wanted=$1 status=0
    shift
    "$ragstack" "$@" || status=$?
    [[ $status == "$wanted" ]] || fail "ragstack $*: exit status $status, not $wanted"
}

write_stack() { # memory of the function "ask"
    cat >"$folder/ragstack.yaml" <<YAML
stack: $name
region: $region
database: {proxy: false, deletion_protection: false, backup_days: 1}
functions: {ask: {memory_mb: $1}}
api: {auth: iam}
YAML
}

signed() { # METHOD URL SERVICE [curl's options]
    local method=$1 url=$2 service=$3 token=()
    shift 3
    eval "$(aws configure export-credentials --format env)" || return
    [[ -n ${AWS_SESSION_TOKEN:-} ]] && token=(-H "x-amz-security-token: $AWS_SESSION_TOKEN")
    curl -sS --max-time 60 -X "$method" --aws-sigv4 "aws:amz:$region:$service" \
        --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "${token[@]}" "$@" "$url"
}

aws_call() { aws ${emulator:+--endpoint-url "$emulator"} --region "$region" --output json "$@"; }
need_aws() { command -v aws >/dev/null || skip "the aws command is not there"; }
need_real() { [[ -z $emulator ]] || skip "an emulator has no such thing"; }
physical() { "$ragstack" status --json | jq -er --arg id "$1" '.resources[] | select(.id == $id) | .physical_id'; }

try_signature() (expect 2 diff)
try_prices() (
    need_real
    expect 0 cost --refresh --out "$folder/prices.json"
    jq -e --arg region "$region" '.regions[$region].about == false' "$folder/prices.json" || fail "some are not told"
)
try_up() (expect 0 up --yes)
try_empty() (expect 0 diff)
try_readonly() (
    "$ragstack" diff -vv 2>"$folder/trace" >/dev/null
    sed -n 's/^aws: [a-z0-9-]* \([A-Za-z0-9]*\): status.*/\1/p' "$folder/trace" | sort -u >"$folder/operations"
    [[ -s $folder/operations ]] || fail "no request in the trace"
    if grep -vE '^(Describe|Get|List|Head|Filter|Lookup)' "$folder/operations"; then fail "a diff that changes"; fi
)
try_health() (
    need_aws
    need_real
    function=$(physical ask) || fail "no function"
    aws_call lambda invoke --function-name "$function:live" --cli-binary-format raw-in-base64-out \
        --payload '{"ragstack":"health"}' "$folder/health.json" || fail "cannot invoke it"
    cat "$folder/health.json"
    jq -e 'has("errorMessage") | not' "$folder/health.json"
)
try_api() (
    need_aws
    need_real
    url=$("$ragstack" outputs api_url) || fail "no URL"
    status=$(signed GET "$url/health" execute-api -o "$folder/api.body" -w '%{http_code}')
    cat "$folder/api.body"
    [[ $status == 200 ]] || fail "status $status"
)
try_question() (
    need_real
    printf '# Vacation\n\nEvery employee has 31 days of paid vacation a year.\n' >"$folder/vacation.md"
    expect 0 ingest "$folder/vacation.md"
    "$ragstack" ask --json "How many days of vacation do employees have?" | tee "$folder/answer.json"
    jq -e '.no_answer == false and (.answer | contains("31")) and (.citations | length) > 0' "$folder/answer.json"
)
try_closed() (
    need_real
    url=$("$ragstack" outputs api_url) || fail "no URL"
    status=$(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "$url/health")
    [[ $status == 403 ]] || fail "status $status, not 403"
)
try_bucket() (
    need_real
    bucket=$("$ragstack" outputs documents_bucket) || fail "no bucket"
    status=$(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "http://$bucket.s3.$region.amazonaws.com/x")
    [[ $status == 403 ]] || fail "status $status, not 403"
)
try_event() (
    need_aws
    need_real
    bucket=$("$ragstack" outputs documents_bucket) || fail "no bucket"
    url=$("$ragstack" outputs api_url) || fail "no URL"
    printf '# Parking\n\nThe car park opens at six.\n' >"$folder/parking.md"
    aws_call s3 cp "$folder/parking.md" "s3://$bucket/parking.md" || fail "cannot put it there"
    for _ in {1..12}; do
        signed GET "$url/jobs" execute-api | tee "$folder/jobs.json"
        jq -e '.jobs[] | select(.id == "parking.md") | .state == "stored"' "$folder/jobs.json" && exit 0
        sleep 10
    done
    fail "not stored after two minutes"
)
try_status() (expect 0 status --check)
try_logs() (
    need_real
    [[ ${outcome[health]:-} == seen ]] || skip "no health event was answered"
    for _ in {1..12}; do
        "$ragstack" logs --since 1h --function ask | tee "$folder/lines"
        grep -q 'REPORT' "$folder/lines" && exit 0
        sleep 10
    done
    fail "no line after two minutes"
)
try_watch() (
    need_real
    [[ ${outcome[question]:-} == seen ]] || skip "no question was answered"
    for _ in {1..18}; do
        "$ragstack" watch --once --json --since 1h >"$folder/watch.json"
        jq -e '.metrics.questions.value >= 1' "$folder/watch.json" && break
        sleep 10
    done
    jq -e '.metrics.questions.value >= 1' "$folder/watch.json" || fail "no question after three minutes"
    "$ragstack" logs --cost --since 1h --json --insights never >"$folder/lines.json"
    "$ragstack" logs --cost --since 1h --json --insights always >"$folder/insights.json"
    jq -e --slurpfile lines "$folder/lines.json" '.cost == $lines[0].cost' "$folder/insights.json"
)
try_ls() (
    for _ in {1..12}; do
        AWS_REGION=$region "$ragstack" ls --json | tee "$folder/ls.json"
        jq -e --arg name "$name" '.stacks[] | select(.stack == $name)' "$folder/ls.json" && exit 0
        sleep 10
    done
    fail "not listed after two minutes"
)
try_drift() (
    need_aws
    group=$(physical ask-logs) || fail "no log group"
    aws_call logs put-retention-policy --log-group-name "$group" --retention-in-days 3 || fail "cannot change it"
    expect 3 diff --json >"$folder/drift.json"
    jq -e '[.steps[].id] == ["ask-logs"]' "$folder/drift.json" || fail "the diff names something else"
    expect 0 up --yes
    expect 0 diff
)
try_change() (
    write_stack 384
    "$ragstack" diff --json >"$folder/change.json"
    jq -e '[.steps[].id] == ["ask"]' "$folder/change.json" || fail "the diff names something else"
    expect 0 up --yes
    expect 0 diff
)
try_killed() (
    write_stack 512
    "$ragstack" up --yes &
    pid=$!
    sleep "${SMOKE_KILL_AFTER:-4}"
    kill -9 "$pid" || skip "it was done before it could be killed"
    wait "$pid"
    # its lease must run out before another may work
    for _ in {1..30}; do
        "$ragstack" up --yes && break
        [[ $? == 5 ]] || fail "the next up failed"
        sleep 10
    done
    expect 0 diff
)
try_lock() (
    need_real
    write_stack 640
    "$ragstack" up --yes &
    pid=$!
    sleep 2
    status=0
    "$ragstack" up --yes || status=$?
    wait "$pid" || fail "the first failed"
    [[ $status == 5 ]] || fail "the second ended with $status, not 5"
)
try_history() (
    "$ragstack" history --json | tee "$folder/history.json"
    jq -e '.deployments | length >= 1' "$folder/history.json"
)
try_down() (expect 0 down --yes)
try_snapshot() (
    need_aws
    aws_call rds describe-db-snapshots --snapshot-type manual >"$folder/snapshots.json" || fail "cannot ask"
    jq -er --arg name "$name" '.DBSnapshots[] | select(.DBSnapshotIdentifier | startswith($name)) | .DBSnapshotIdentifier' \
        "$folder/snapshots.json" | tee "$folder/snapshots"
    while read -r snapshot; do
        aws_call rds delete-db-snapshot --db-snapshot-identifier "$snapshot" >/dev/null
    done <"$folder/snapshots"
)

# -- the report -----------------------------------------------------------------------------------

write_report() {
    local row key
    {
        echo "# ragstack on AWS"
        echo
        echo "$("$ragstack" --version), $region, $(date -u +%Y-%m-%dT%H:%MZ)${emulator:+, an emulator at $emulator}"
        echo
        echo "| item | outcome | seconds | remark |"
        echo "|---|---|---|---|"
        for row in "${items[@]}"; do
            key=${row%%|*}
            echo "| ${row#*|} | ${outcome[$key]:-not tried} | ${seconds[$key]:-} | ${remark[$key]:-} |"
        done
    } >"$report"
}

finish() {
    local status=0 key
    trap - EXIT INT TERM
    cd "$folder" || exit 1
    if [[ -z ${outcome[down]:-} && -n ${outcome[up]:-} && -z $keep ]]; then
        item down try_down
    fi
    cd "$OLDPWD" || exit 1
    write_report
    echo
    cat "$report"
    for key in "${!outcome[@]}"; do
        [[ ${outcome[$key]} == FAILED ]] && status=1
    done
    if [[ ${outcome[down]:-} == seen ]]; then
        [[ $status == 0 ]] && rm -rf "$folder"
    else
        echo
        echo "The stack $name may still stand, and cost. Take it down: cd $folder && ragstack down"
    fi
    [[ $status == 0 ]] || echo "What each item said: $folder/*.log"
    exit "$status"
}

# -- the walk -------------------------------------------------------------------------------------

write_stack 256
cat <<TEXT
This makes the stack $name in $region with the credentials at hand, and takes it down again. It costs
about a dollar, and takes 40 to 60 minutes. The ledger's bucket stays (it is empty of data, and costs
next to nothing).
TEXT
if [[ -z $sure ]]; then
    read -r -p 'Type "yes" to go on: ' answer
    [[ $answer == yes ]] || exit 130
fi
report=$(realpath -m "$report")
cd "$folder" || exit 1
trap finish EXIT
trap 'exit 130' INT TERM

item signature try_signature
[[ ${outcome[signature]} == seen ]] || exit 1
item prices try_prices
item up try_up
for key in empty readonly health api question closed bucket event status logs watch ls drift change killed lock history; do
    [[ ${outcome[up]} == seen ]] && item "$key" "try_$key"
done
write_stack 256
[[ -n $keep ]] && exit 0
item down try_down
item snapshot try_snapshot
exit 0
