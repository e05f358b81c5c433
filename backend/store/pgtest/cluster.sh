# Arguments: the directory of initdb and pg_ctl, and an empty directory for everything.
# Says "ready", or what went wrong. Lives until its standard input ends.
bin=$1 dir=$2
trap '' PIPE
finish() {
	"$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
	cd /
	rm -rf "$dir"
}
# fsync is off: what the tests kill are processes, never the machine's power or this
# server, and what Postgres has written is then with the system. wal_level and max_wal_size
# keep the log small, as the directory may be in memory. Nothing here lives long enough
# for autovacuum.
"$bin/initdb" -D "$dir/data" -U nametag -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 &&
	"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 \
		-o "-c listen_addresses= -k '$dir' -c fsync=off -c full_page_writes=off \
			-c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=128MB -c autovacuum=off -c max_connections=300" start >>"$dir/log" 2>&1 ||
	{
		cat "$dir/log"
		finish
		exit 1
	}
echo ready
cat >/dev/null
finish
