# What websocketd starts for each connection: answers a subscription, then sends updates.
rate_s=$1
pad=$2
seq=0
follows=
while :; do
  if IFS= read -r -t "$rate_s" line; then
    case $line in
      *'"subscribe"'*) follows=yes ;;
      *) follows= ;;
    esac
    id=${line#*'"id":'}
    id=${id%%[,\}]*}
    printf '{"id": %s, "ok": true}\n' "$id"
  else
    [ $? -gt 128 ] || exit 0
    if [ -n "$follows" ]; then
      seq=$((seq + 1))
      now=${EPOCHREALTIME/./}
      printf '{"ch": "updates", "ts": %s.%s, "seq": %s, "pad": "%s"}\n' \
        "${now%???}" "${now: -3}" "$seq" "$pad"
    fi
  fi
done
