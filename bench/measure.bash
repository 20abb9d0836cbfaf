# shellcheck shell=bash disable=SC2034
# What the benchmarks that run whole programs share; sourced by them. Needs bash and awk only.
#
# The sourcing script has `set -euo pipefail` and stands in the project's root. Everything it
# starts with `serve` is ended when it ends, however it ends.

program=${JACKFIELD:-build/jackfield}
folder=$(mktemp -d)
served=()
cleanup() {
  for pid in "${served[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

die() {
  echo "$0: $*" >&2
  exit 1
}

need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null || die "needs $1 (Debian's package $2)"
}

# The machine that the figures come from, in two lines: figures without them mean nothing.
machine_line() {
  local model policy
  model=$(awk -F": " '/^model name/ { print $2; exit }' /proc/cpuinfo)
  policy=$(chrt -p $$ 2>/dev/null | awk 'NR == 1 { print $NF }')
  echo "machine: $(nproc) cores, ${model:-$(uname -m)}, Linux $(uname -r)," \
    "$(. /etc/os-release && echo "$PRETTY_NAME")"
  echo "date:    $(date -u '+%F %R') UTC, load average $(cut -d' ' -f1-3 /proc/loadavg)," \
    "${policy:-SCHED_OTHER}"
}

# With two cores or more each end has one of its own, for both tools alike: the kernel moving them
# about is the larger part of what makes runs differ.
pin_caller=() pin_answerer=()
if (($(nproc) >= 2)) && taskset -c 1 true 2>/dev/null; then
  pin_caller=(taskset -c 0) pin_answerer=(taskset -c 1)
fi

# What has `program answer` serve with one lane, as all did that have no --lanes; sets `one_lane`.
one_lane() {
  one_lane=()
  [[ $("$program" answer --help 2>/dev/null) != *--lanes* ]] || one_lane=(--lanes 1)
}

# A port of 127.0.0.1 that nobody has, with the next `$1` - 1 free as well; sets `port`.
next_port=17000
free_port() {
  local span=${1:-1} p
  while ((next_port + span < 30000)); do
    port=$next_port
    next_port=$((next_port + span))
    for ((p = port; p < port + span; p++)); do
      is_bound udp "$p" && continue 2
      is_bound tcp "$p" && continue 2
    done
    return 0
  done
  die 'no free port between 17000 and 30000'
}

is_bound() { # udp|tcp PORT
  local hex
  printf -v hex ':%04X' "$2"
  awk -v p="$hex" 'substr($2, length($2) - 4) == p { found = 1 } END { exit !found }' \
    "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null
}

# Starts a program in the background and waits for it to be bound; sets `pid`.
serve() { # udp|tcp PORT COMMAND...
  local kind=$1 at=$2 i
  shift 2
  "$@" >"$folder/served.log" 2>&1 </dev/null &
  pid=$!
  disown "$pid" # so that bash does not tell of its end
  served+=("$pid")
  for ((i = 0; i < 100; i++)); do
    is_bound "$kind" "$at" && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  cat "$folder/served.log" >&2
  die "did not come up on port $at: $*"
}

# Ends what `serve` started: asks, and insists after SECONDS.
end_served() { # PID [SIGNAL [SECONDS]]
  local i
  kill -"${2:-INT}" "$1" 2>/dev/null || true
  for ((i = 0; i < ${3:-5} * 20; i++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.05
  done
  kill -KILL "$1" 2>/dev/null || true
}

# CPU of a process so far, user and system, in ms. Linux counts that of a process in ticks of 10 ms
# and that of its threads in ns, but forgets threads that ended: the greater of the two.
cpu_ms() { # PID
  {
    sed 's/.*) //' "/proc/$1/stat"
    cat "/proc/$1/task/"*/schedstat 2>/dev/null || true
  } | awk -v hz="$(getconf CLK_TCK)" '
    NR == 1 { ticks = ($12 + $13) * 1000 / hz; next }
    { exact += $1 / 1e6 }
    END { printf "%.2f\n", (exact > ticks ? exact : ticks) }'
}

# Resident memory that belongs to the process, in KB.
rss_kb() { # PID
  awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# Runs a command to its end, at most `LIMIT` seconds; sets `caller_ms` (its CPU), `elapsed_ms` and
# `status` (124 or 137: out of time).
timed() { # LIMIT COMMAND...
  local limit=$1 TIMEFORMAT='%R %U %S'
  shift
  status=0
  { time timeout -k 2 -s INT "$limit" "$@" >"$folder/caller.log" 2>&1 </dev/null; } \
    2>"$folder/times" || status=$?
  read -r elapsed_ms caller_ms < <(tail -n 1 "$folder/times" |
    awk '{ printf "%d %d\n", $1 * 1000, ($2 + $3) * 1000 }')
}

# One value of a JSON file as `jackfield --json` writes them, by its path: `json FILE calls.failed`.
# A value that is not there reads as `null`.
json() {
  [[ -s $1 ]] || { echo null; return; }
  awk -v want="$2" '
    /^ *[]}],?$/ { --depth; next }
    {
      key = ""
      if (match($0, /^ *"[^"]*": /)) {
        key = substr($0, RSTART, RLENGTH)
        gsub(/^ *"|": $/, "", key)
      }
      value = substr($0, RSTART + (RLENGTH > 0 ? RLENGTH : 0))
      if (value ~ /[[{]$/) { name[++depth] = key; next }
      path = key
      for (i = depth; i > 1; --i) path = name[i] "." path
      if (path == want) { sub(/,$/, "", value); gsub(/"/, "", value); print value; found = 1; exit }
    }
    END { if (!found) print "null" }' "$1"
}

# The middle of numbers given as arguments.
median() {
  printf '%s\n' "$@" | sort -n | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

# `calc FORMAT EXPRESSION`: arithmetic that bash has not.
calc() {
  awk "BEGIN { printf \"$1\", ($2) }" </dev/null
}

# One line of a summary. `at most` and `at least` say which way is good.
verdict() { # NAME VALUE UNIT 'at most'|'at least' MUST AIM
  awk -v name="$1" -v v="$2" -v unit="$3" -v way="$4" -v must="$5" -v aim="$6" 'BEGIN {
    down = way == "at most"
    met = v == "" || v == "null" ? "NOT MEASURED" : \
      (down ? v + 0 <= aim + 0 : v + 0 >= aim + 0) ? "aim met" : \
      (down ? v + 0 <= must + 0 : v + 0 >= must + 0) ? "must met" : "SHORT"
    printf "  %-58s %9s %-4s %s %s (%s)  %s\n", name, v, unit, way, must, aim, met
  }' </dev/null
}

# The same, and sets `missed` to 1 where a must is missed, for an exit code.
missed=0
judged() {
  local line
  line=$(verdict "$@")
  echo "$line"
  [[ $line == *'aim met' || $line == *'must met' ]] || missed=1
}
