#!/bin/sh
# After the last version has gone: the user's own files stay, and it is said where.
set -e
case "$1" in
  remove | purge | 0)
    echo "Voxline is removed. What each user has stays: transcripts in Documents/Voxline; the library"
    echo "of sessions, unfinished ones and models in .local/share/Voxline; settings, and keys to"
    echo "servers if there is no keyring, in .config/Voxline; logs in .local/state/Voxline."
    ;;
esac
exit 0
