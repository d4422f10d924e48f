# SPDX-License-Identifier: MIT
# The quick start's folder, for deploy/quickstart (bash). Several users write in it, and root makes it ready for
# them: so root opens, follows and runs nothing in a folder that another user can write. DIR itself, log and run are
# root's; in them are files and folders of those who write there:
#
#     latchkey.conf            root's, for the service to read
#     mail, keys, run/service  the service's       pg        PostgreSQL's       run/nginx   nginx's
#     log/*                    each its writer's, made here: nobody else can put another in its place
#     run/*                    what is run and read: root's
#
# Where nobody is root all of it is one user's.

layout=2 # in the marker; 0.1.0 left the marker empty

# Whether others than root and this user can change what is in a folder: its owner is a third user, or
# its group or all may write it. Sets $reason.
others_write() { # PATH
	local user group mode
	read -r user group mode < <(stat -c '%u %g %f' -- "$1")
	mode=$((16#$mode))
	reason=
	if ((user != 0 && user != EUID)); then
		reason="belongs to $(id -un -- "$user" 2>/dev/null || echo "user $user")"
	elif ((mode & 8#002)) || (((mode & 8#020) && group != $(id -g))); then
		reason="can be written by others"
	fi
	[ -n "$reason" ]
}

# Makes the folder where it is not there, and refuses it where somebody else could replace it or a folder above
# it. In /tmp and its like (sticky) nobody replaces what is root's or this user's own.
claim_folder() { # PATH, absolute and without "." and ".."
	local path= part parts
	IFS=/ read -r -a parts <<<"${1#/}"
	for part in "${parts[@]}"; do
		path=$path/$part
		[ -e "$path" ] || [ -L "$path" ] || mkdir -m 755 -- "$path" 2>/dev/null || [ -e "$path" ] ||
			die "cannot make $path"
		if [ -L "$path" ] || [ ! -d "$path" ]; then
			die "$path is no folder but a link or a file; give a --state without links"
		fi
		if others_write "$path" && { [ "$path" = "$1" ] || [[ $reason = belongs* ]] || [ ! -k "$path" ]; }; then
			die "$path $reason, who could put something else in its place; give a --state that is" \
				"$(id -un)'s own, in folders that are root's or $(id -un)'s"
		fi
	done
	[ -O "$1" ] || die "$1 is not $(id -un)'s; give another --state"
}

# Refuses what this script did not put there: it may have been planted when the folder was open to others.
check_entries() {
	local path kind links
	while IFS= read -r -d '' path; do
		read -r links kind < <(stat -c '%h %F' -- "$path")
		case $kind in
		directory) ;;
		"regular file" | "regular empty file")
			[ "$links" = 1 ] && [ -O "$path" ] ||
				die "$path is not $(id -un)'s, or has a second name elsewhere; remove it"
			;;
		*) die "$path is a $kind, which quickstart does not make; remove it" ;;
		esac
	done < <(find "$state" -mindepth 1 -maxdepth 1 -print0)
}

# The folders above must let those through who work below.
check_way() {
	local folder=$state user
	while folder=$(dirname "$folder") && [ "$folder" != / ]; do
		for user in "$database_user" "$service_user" "$web_user"; do
			(as "$user" test -x "$folder") ||
				die "user $user cannot pass through $folder: chmod a+x $folder, or give another --state," \
					"such as /var/lib/latchkey-quickstart"
		done
	done
}

give() { # USER[:GROUP] MODE PATH…
	local owner=$1 mode=$2
	shift 2
	[ "$EUID" != 0 ] || chown -h "$owner" -- "$@"
	chmod "$mode" -- "$@"
}

# 0.1.0 gave mail and keys to www-data. They become root's first, so that nobody changes them meanwhile; of
# what is in them only www-data's own plain files stay, and go to their new owner.
take_over() {
	local name
	for name in mail keys; do
		[ -d "$state/$name" ] || continue
		say "taking over $state/$name from version 0.1.0"
		give root:root 700 "$state/$name"
		find "$state/$name" -mindepth 1 -maxdepth 1 ! \( -type f -links 1 -user www-data \) -exec rm -rf {} +
		find "$state/$name" -mindepth 1 -maxdepth 1 -exec chown -h "$service_user:$service_group" {} +
	done
}

# DIR is root's, and nobody works in it yet.
prepare_folders() {
	local file user
	if [ ! -s "$marker" ]; then
		[ "$EUID" != 0 ] || take_over
		# the socket has a folder of its own since
		[ ! -e "$state/latchkey.conf" ] ||
			sed -i -E "s|^(listen *= *)$state/run/latchkey.sock\$|\1$socket|" "$state/latchkey.conf"
	fi
	# what a run that was killed left behind, and a log that others could have put links into, as 0.1.0's
	rm -rf "$state/run"
	if [ -e "$state/log" ] && { [ ! -O "$state/log" ] || others_write "$state/log"; }; then
		rm -rf "$state/log"
	fi
	mkdir -p "$state"/{mail,keys,log,pg,run,run/service,run/nginx}
	give "$own" 755 "$state" "$state/log" "$state/run"
	give "$service_user:$service_group" 750 "$state/mail"
	give "$service_user:$service_group" 700 "$state/keys"
	give "$database_user:$service_group" 750 "$state/pg"
	# the socket gets the folder's group: nginx's
	give "$service_user:$web_group" 2750 "$state/run/service"
	give "$web_user:$web_group" 700 "$state/run/nginx"
	for file in build:"$own" initdb:"$own" config:"$own" migrate:"$own" postgresql:"$database_user" \
		latchkey:"$service_user" nginx:"$web_user" access:"$web_user"; do
		user=${file#*:} file=$state/log/${file%%:*}.log
		touch "$file"
		give "$user" 640 "$file"
	done
	printf '%s\n' "$layout" >"$marker"
}
