# shellcheck shell=sh disable=SC2034
# The values of board.mk for shell scripts, and what is derived from the checkout. Read with ". board/vars.sh".
eval "$(sed -n "s/^\([A-Z_]*\) := \(.*\)$/\1='\2'/p" board/board.mk)"
commit=$(git log -1 --format='%ct %h' 2>/dev/null || true)
BUILD_ID=${commit#* }
BUILD_ID=${BUILD_ID:-unknown}
[ "${commit% *}" -gt "$EPOCH" ] 2>/dev/null && EPOCH=${commit% *}
SOURCE_DATE_EPOCH=$EPOCH
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
