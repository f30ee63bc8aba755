# Common part of the scripts that run a real broker for the tests. Sourced, not run.
#
#   EVTAP_BROKERS_CACHE  where servers are installed  (default: $XDG_CACHE_HOME or ~/.cache, /evtap-brokers)
#   EVTAP_BROKERS_DATA   where state, logs, pids live (default: $TMPDIR or /tmp, /evtap-brokers)
#   EVTAP_BROKERS_KEEP   1 = `stop` keeps the data directory (default: `stop` deletes it)
#   EVTAP_<NAME>_PORT    overrides the fixed loopback port of one server
#
# Every script takes: install | start | stop | status | env
# start is idempotent; it returns 0 only once the server answers, and prints what `env` prints: the
# variables that the tests look for, for `eval "$(… start)"`. All servers bind 127.0.0.1 only.
# Two servers of one kind side by side need a port and a data directory each.
set -euo pipefail

CACHE="${EVTAP_BROKERS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/evtap-brokers}"
DATA_ROOT="${EVTAP_BROKERS_DATA:-${TMPDIR:-/tmp}/evtap-brokers}"
HOST=127.0.0.1
INSTALL_TIMEOUT="${EVTAP_BROKERS_INSTALL_TIMEOUT:-600}"
START_TIMEOUT="${EVTAP_BROKERS_START_TIMEOUT:-90}"
STOP_TIMEOUT="${EVTAP_BROKERS_STOP_TIMEOUT:-15}"

say() { printf '%s: %s\n' "$NAME" "$*" >&2; }
die() { say "$*"; exit 1; }

init() { # init NAME : sets up this server's directories
  NAME="$1"
  DATA="$DATA_ROOT/$NAME"
  INST="$CACHE/$NAME"
  mkdir -p "$CACHE" "$DATA_ROOT"
}

# ---- processes -------------------------------------------------------------
# A pid file holds "PID STARTTIME"; the start time guards against a reused pid.
proc_start() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

pid_alive() { # pid_alive PIDFILE -> 0 and prints pid
  local pid st
  [ -r "$1" ] || return 1
  read -r pid st <"$1" || return 1
  [ -n "${pid:-}" ] && [ -n "${st:-}" ] && [ "$(proc_start "$pid")" = "$st" ] || return 1
  case "$(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" in Z | X | '') return 1 ;; esac
  echo "$pid"
}

spawn() { # spawn PIDFILE LOGFILE CMD... : a daemon in its own session, all lock fds closed
  local pf="$1" log="$2" pid
  shift 2
  mkdir -p "$(dirname "$pf")"
  setsid "$@" </dev/null >>"$log" 2>&1 9>&- 8>&- &
  pid=$!
  disown "$pid" 2>/dev/null || true
  local st
  st="$(proc_start "$pid")"
  echo "$pid ${st:-0}" >"$pf"
}

stop_pid() { # stop_pid PIDFILE [SIGNAL]
  local pf="$1" sig="${2:-TERM}" pid i
  if pid="$(pid_alive "$pf")"; then
    kill "-$sig" "$pid" 2>/dev/null || true
    for ((i = 0; i < STOP_TIMEOUT * 10; i++)); do
      pid_alive "$pf" >/dev/null || break
      sleep 0.1
    done
    if pid_alive "$pf" >/dev/null; then
      say "pid $pid did not stop in ${STOP_TIMEOUT}s, killing it"
      kill -KILL "$pid" 2>/dev/null || true
      sleep 0.3
    fi
  fi
  rm -f "$pf"
}

wait_for() { # wait_for PIDFILE LOGFILE CMD... : until CMD succeeds, the process dies or time is up
  local pf="$1" log="$2" t0=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    pid_alive "$pf" >/dev/null || { tail -n 25 "$log" >&2; rm -f "$pf"; die "the server ended while starting (log: $log)"; }
    ((SECONDS - t0 < START_TIMEOUT)) || { tail -n 25 "$log" >&2; stop_pid "$pf"; die "not ready after ${START_TIMEOUT}s (log: $log)"; }
    sleep 0.1
  done
}

port_open() { (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null; }
port_free_or_die() { # each port must be free before we start, else we would test a stranger
  local p
  for p in "$@"; do
    if port_open "$p"; then die "port $p is taken by something this script did not start"; fi
  done
}
rss_mb() { ps -o rss= -s "$1" 2>/dev/null | awk '{s+=$1} END{printf "%d", s/1024}'; } # the whole session

# ---- locks: parallel test runs may call the same script at once ------------
with_lock() { # with_lock FILE CMD...
  local f="$1"
  shift
  mkdir -p "$(dirname "$f")"
  exec 9>"$f"
  flock -w "$((INSTALL_TIMEOUT + START_TIMEOUT))" 9 || die "lock $f is held too long"
  "$@"
  local rc=$?
  exec 9>&-
  return $rc
}

# ---- installing ------------------------------------------------------------
need_cmd() { command -v "$1" >/dev/null 2>&1 || die "needs the command '$1'"; }

java_bin() { # java_bin MIN : a java of at least that version
  local min="$1" j v
  for j in "${EVTAP_JAVA_HOME:+$EVTAP_JAVA_HOME/bin/java}" "${JAVA_HOME:+$JAVA_HOME/bin/java}" \
    "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
    [ -n "$j" ] && [ -x "$j" ] || continue
    v="$("$j" -XshowSettings:properties -version 2>&1 | awk '/java.specification.version =/{print $3}')"
    [ "${v%%.*}" -ge "$min" ] 2>/dev/null && { echo "$j"; return 0; }
  done
  die "needs Java $min or newer"
}

mvn_libs() { # mvn_libs DIR "g:a:v[:type[:classifier]]"... : jars and all run-time dependencies into DIR/libs
  local dir="$1" c g a v t k excl=""
  shift
  [ -e "$dir/.ok" ] && [ "$(cat "$dir/.ok")" = "$*" ] && return 0
  need_cmd mvn
  rm -rf "$dir"
  mkdir -p "$dir"
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>evtap.test</groupId><artifactId>server</artifactId><version>1</version>'
    echo '<dependencies>'
    for c in "$@"; do
      IFS=: read -r g a v t k <<<"$c"
      echo "<dependency><groupId>$g</groupId><artifactId>$a</artifactId><version>$v</version>${t:+<type>$t</type>}${k:+<classifier>$k</classifier>}</dependency>"
    done
    echo '</dependencies></project>'
  } >"$dir/pom.xml"
  say "installing $* (Maven)"
  # repositories that some POMs name besides Maven's own central one: an empty folder answers for them
  mkdir -p "$dir/empty"
  echo "<settings><mirrors><mirror><id>none</id><mirrorOf>*,!central</mirrorOf><url>file://$dir/empty</url></mirror></mirrors></settings>" >"$dir/settings.xml"
  (cd "$dir" && timeout "$INSTALL_TIMEOUT" mvn -q -B -gs "$dir/settings.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs) >"$dir/mvn.log" 2>&1 ||
    { tail -n 20 "$dir/mvn.log" >&2; die "Maven could not fetch it"; }
  echo "$*" >"$dir/.ok"
}

apt_need() { # apt_need "cmd-or-path" pkg... : installs only when the command is absent; starts no service
  local probe="$1" pol=/usr/sbin/policy-rc.d made=0
  shift
  command -v "$probe" >/dev/null 2>&1 || [ -e "$probe" ] && return 0
  [ "$(id -u)" = 0 ] || die "'$probe' is absent and installing $* needs root"
  say "installing $* (apt)"
  if [ ! -e "$pol" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$pol"
    chmod +x "$pol"
    made=1
  fi
  local rc=0
  DEBIAN_FRONTEND=noninteractive timeout "$INSTALL_TIMEOUT" apt-get install -y -q --no-install-recommends "$@" >"$CACHE/apt-$NAME.log" 2>&1 || {
    timeout 120 apt-get update -q >>"$CACHE/apt-$NAME.log" 2>&1 || true
    DEBIAN_FRONTEND=noninteractive timeout "$INSTALL_TIMEOUT" apt-get install -y -q --no-install-recommends "$@" >>"$CACHE/apt-$NAME.log" 2>&1 || rc=$?
  }
  [ "$made" = 1 ] && rm -f "$pol"
  [ "$rc" = 0 ] || { tail -n 10 "$CACHE/apt-$NAME.log" >&2; die "apt could not install $*"; }
}

# ---- the verbs -------------------------------------------------------------
# A script defines: do_install, do_start, do_env, and optionally do_stop / do_pids.
: "${PIDFILES:=main}"
do_pids() { for p in $PIDFILES; do echo "$DATA/$p.pid"; done; }
do_stop() { local f; for f in $(do_pids); do stop_pid "$f"; done; }
all_up() { local f; for f in $(do_pids); do pid_alive "$f" >/dev/null || return 1; done; }
any_up() { local f; for f in $(do_pids); do pid_alive "$f" >/dev/null && return 0; done; return 1; }

locked_start() {
  if all_up; then say "already up"; return 0; fi
  any_up && do_stop
  [ "${EVTAP_BROKERS_KEEP:-0}" = 1 ] || rm -rf "$DATA"
  mkdir -p "$DATA"
  local t0 t1
  t0=$(date +%s%N)
  do_start "$@"
  t1=$(date +%s%N)
  say "up in $(((t1 - t0) / 1000000)) ms"
}
locked_stop() {
  do_stop
  [ "${EVTAP_BROKERS_KEEP:-0}" = 1 ] || rm -rf "$DATA"
  say "down"
}

main() {
  local verb="${1:-}"
  shift || true
  case "$verb" in
    install) with_lock "$CACHE/$NAME.lock" do_install ;;
    start)
      with_lock "$CACHE/$NAME.lock" do_install
      with_lock "$DATA_ROOT/$NAME.lock" locked_start "$@"
      do_env
      ;;
    stop) with_lock "$DATA_ROOT/$NAME.lock" locked_stop ;;
    status)
      if all_up; then
        local f p
        for f in $(do_pids); do p="$(pid_alive "$f")"; echo "$NAME up pid=$p rss=$(rss_mb "$p")MB $(basename "$f" .pid)"; done
      else
        echo "$NAME down"
        return 3
      fi
      ;;
    env) do_env ;;
    *) echo "usage: $(basename "$0") install|start|stop|status|env" >&2; return 2 ;;
  esac
}
