#!/usr/bin/env bash
# generate.sh URL PROMPT OUT.ppm [FIELD=JSON ...]     needs curl and jq
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2s/^# //p' "$0" >&2 && exit 2; }
url=$1 prompt=$2 out=$3
shift 3
request=$(jq -n --arg prompt "$prompt" '{prompt: $prompt}')
for field in "$@"; do
  request=$(jq --arg name "${field%%=*}" --argjson value "${field#*=}" '.[$name] = $value' <<<"$request")
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "no picture: $1" >&2
  exit 1
}

read_events() { # from standard input; the complete event goes to $folder/complete
  local name="" line
  while IFS= read -r line; do
    line=${line%$'\r'}
    case $line in
      "event:"*) name=${line#event:} name=${name# } ;;
      "data:"*)
        data=${line#data:}
        case $name in
          progress) jq -r '"step \(.step)/\(.total_steps)"' <<<"$data" >&2 || return ;;
          complete) printf '%s' "$data" >"$folder/complete" && return ;;
          error) jq -r .message <<<"$data" >"$folder/error" && return ;;
        esac
        ;;
    esac
  done
}

for left in 3 2 1 0; do
  # A refusal is one line of JSON and no event: it is kept for the message.
  curl --silent --no-buffer --speed-limit 1 --speed-time 120 --data-binary @- --dump-header "$folder/head" \
    --header 'Content-Type: application/json' "$url/generate" <<<"$request" | tee "$folder/answer" | read_events || true
  status=$(awk 'NR == 1 { print $2 }' "$folder/head" 2>/dev/null || true)
  [ "$status" = 503 ] && [ "$left" -gt 0 ] || break
  sleep "$(awk 'tolower($1) == "retry-after:" { print $2 + 0; found = 1 } END { if (!found) print 1 }' "$folder/head")"
done

[ -n "$status" ] || fail "no answer from $url"
[ "$status" = 200 ] || fail "$(jq -r .error.message "$folder/answer" 2>/dev/null || echo "status $status")"
[ -e "$folder/error" ] && fail "$(cat "$folder/error")"
[ -e "$folder/complete" ] || fail "the stream ended without a picture"

read -r width height seed < <(jq -r '"\(.width) \(.height) \(.seed)"' "$folder/complete") || fail "not an event of this API"
jq -r .image "$folder/complete" | base64 -d >"$folder/rgb" || fail "the picture is not base64"
[ "$(wc -c <"$folder/rgb")" = $((width * height * 3)) ] || fail "the picture has not the size that the server says"
{ printf 'P6 %d %d 255\n' "$width" "$height" && cat "$folder/rgb"; } >"$out"
echo "$out: ${width}x$height, seed $seed"
