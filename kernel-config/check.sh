#!/bin/sh
# Fails when a line of a fragment did not survive into the final kernel configuration:
#   kernel-config/check.sh .config FRAGMENT...
# olddefconfig drops a line silently when what it depends on is missing or its name is wrong.
set -eu
final=$1
shift
bad=0
for fragment in "$@"; do
	n=0
	while IFS= read -r line; do
		n=$((n + 1))
		case $line in
		CONFIG_*=n) want="# ${line%=n} is not set" ;;
		CONFIG_* | "# CONFIG_"*" is not set") want=$line ;;
		*) continue ;;
		esac
		name=$(echo "$want" | grep -o 'CONFIG_[A-Za-z0-9_]*' | head -n 1)
		grep -qxF -- "$want" "$final" && continue
		# A symbol that cannot be set is left out of the file: that is as good as "not set".
		case $want in "# "*) grep -q "^$name=" "$final" || continue ;; esac
		got=$(grep -E "^(# )?${name}[= ]" "$final" || echo "nothing about it: wrong name, or a dependency is missing")
		echo "$fragment:$n: asked for '$want', got: $got" >&2
		bad=$((bad + 1))
	done <"$fragment"
done
if [ "$bad" -gt 0 ]; then
	echo "kernel-config: $bad lines did not survive; set what they depend on, or take them out" >&2
	exit 1
fi
