#!/bin/sh
# After the last version has gone: the user's own files stay, and it is said where.
set -e
case "$1" in
  remove | purge | 0)
    echo "Voxline is removed. What each user has stays: transcripts in Documents/Voxline, settings"
    echo "in .config/Voxline, models and unfinished sessions in .local/share/Voxline."
    ;;
esac
exit 0
