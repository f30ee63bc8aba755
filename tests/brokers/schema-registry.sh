#!/usr/bin/env bash
# Apicurio Registry, a real schema registry, from Maven Central, with the Confluent-compatible REST API.
#   schema-registry.sh start [--kafka HOST:PORT]
#     default   schemas are kept in memory (lost at stop)
#     --kafka   schemas are kept in that Kafka (topic kafkasql-journal), as a real deployment does
# Serves the Confluent API at http://127.0.0.1:PORT/apis/ccompat/v7, its own at /apis/registry/v3.
# PORT default 21081 (EVTAP_SCHEMA_REGISTRY_PORT); PORT+1 is the management port of newer versions.
# Version 3.0.9 needs Java 17. Version 3.3.3 needs Java 21 (EVTAP_JAVA_HOME, EVTAP_SCHEMA_REGISTRY_JAVA=21).
. "$(dirname "$0")/lib.sh"
init schema-registry
VERSION="${EVTAP_SCHEMA_REGISTRY_VERSION:-3.0.9}"
PORT="${EVTAP_SCHEMA_REGISTRY_PORT:-21081}"
HEAP="${EVTAP_SCHEMA_REGISTRY_HEAP:-384m}"
JAVA_MIN="${EVTAP_SCHEMA_REGISTRY_JAVA:-17}"
INST="$CACHE/schema-registry-$VERSION"

do_install() {
  [ -e "$INST/.ok" ] && return 0
  need_cmd mvn
  rm -rf "$INST"
  mkdir -p "$INST/app"
  say "installing apicurio-registry-app $VERSION (Maven)"
  (cd "$INST" && timeout "$INSTALL_TIMEOUT" mvn -q -B dependency:copy \
    -Dartifact="io.apicurio:apicurio-registry-app:$VERSION:tar.gz:all" -DoutputDirectory="$INST") >"$INST/mvn.log" 2>&1 ||
    { tail -n 20 "$INST/mvn.log" >&2; die "Maven could not fetch it"; }
  tar xzf "$INST"/apicurio-registry-app-*-all.tar.gz -C "$INST/app"
  rm -f "$INST"/apicurio-registry-app-*-all.tar.gz
  echo "$VERSION" >"$INST/.ok"
}

http_ok() { curl -fsS -m 3 -o /dev/null "$@"; }
ready() { http_ok "http://$HOST:$PORT/apis/ccompat/v7/subjects"; }

do_start() {
  local kafka="" java jar store=(-Dapicurio.storage.kind=sql)
  while [ $# -gt 0 ]; do
    case "$1" in
      --kafka) kafka="$2"; shift 2 ;;
      *) die "unknown option $1" ;;
    esac
  done
  [ -n "$kafka" ] && store=(-Dapicurio.storage.kind=kafkasql "-Dapicurio.kafkasql.bootstrap.servers=$kafka")
  need_cmd curl
  java="$(java_bin "$JAVA_MIN")"
  port_free_or_die "$PORT" "$((PORT + 1))"
  for jar in "$INST"/app/quarkus-run.jar "$INST"/app/apicurio-registry-app-*-runner.jar; do
    [ -e "$jar" ] && break
  done
  [ -e "$jar" ] || die "no runnable jar under $INST/app"
  spawn "$DATA/main.pid" "$DATA/main.log" "$java" "-Xmx$HEAP" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto \
    "-Djava.io.tmpdir=$DATA" "-Dquarkus.http.host=$HOST" "-Dquarkus.http.port=$PORT" \
    "-Dquarkus.management.host=$HOST" "-Dquarkus.management.port=$((PORT + 1))" "${store[@]}" \
    -Dapicurio.rest.deletion.artifact.enabled=true -Dapicurio.rest.deletion.artifact-version.enabled=true \
    -Dapicurio.rest.deletion.group.enabled=true -jar "$jar"
  wait_for "$DATA/main.pid" "$DATA/main.log" ready
  # Apicurio's own default is NONE; Confluent's, which users know, is BACKWARD.
  http_ok -X PUT -H 'Content-Type: application/json' -d '{"compatibility":"BACKWARD"}' "http://$HOST:$PORT/apis/ccompat/v7/config" ||
    die "could not set the global compatibility level"
}
do_env() {
  echo "export EVTAP_TEST_SCHEMA_REGISTRY=http://$HOST:$PORT/apis/ccompat/v7"
  echo "export EVTAP_TEST_APICURIO=http://$HOST:$PORT/apis/registry/v3"
}
main "$@"
