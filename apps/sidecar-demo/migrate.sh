#!/bin/sh
# The postStart hook of the article's SidecarSet: blocks until the takeover, bounded.
exec "${HOT_STANDBY:-/hot-standby}" migrate --name sidecar --timeout 60
