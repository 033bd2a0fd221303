#!/bin/bash
# Signs and notarises, with credentials from the environment; without them it says so and goes on.
#
#   sign_notarise.sh app Voxline.app     seals the app again: the notices came after PyInstaller
#   sign_notarise.sh dmg Voxline.dmg     signs the image, has Apple look at it, staples the answer
#
# VOXLINE_SIGN_IDENTITY   "Developer ID Application: …", in the keychain
# VOXLINE_NOTARY_KEY      the .p8 file of an App Store Connect key, with
# VOXLINE_NOTARY_KEY_ID and VOXLINE_NOTARY_ISSUER
set -euo pipefail

what=${1:?app or dmg}
path=${2:?the file}
identity=${VOXLINE_SIGN_IDENTITY:-}
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "$*" >&2; }

if [ -z "$identity" ]; then
  say "VOXLINE_SIGN_IDENTITY is not set: $path is signed for this Mac alone, and not notarised."
  if [ "$what" = app ]; then
    codesign --force --deep --sign - --entitlements "$here/entitlements.plist" "$path"
  fi
  exit 0
fi

case "$what" in
  app)
    codesign --force --options runtime --timestamp --entitlements "$here/entitlements.plist" \
      --sign "$identity" "$path"
    codesign --verify --deep --strict --verbose=2 "$path"
    ;;
  dmg)
    codesign --force --timestamp --sign "$identity" "$path"
    if [ -z "${VOXLINE_NOTARY_KEY:-}" ]; then
      say "VOXLINE_NOTARY_KEY is not set: $path is signed and not notarised."
      exit 0
    fi
    xcrun notarytool submit "$path" --wait --key "$VOXLINE_NOTARY_KEY" \
      --key-id "${VOXLINE_NOTARY_KEY_ID:?}" --issuer "${VOXLINE_NOTARY_ISSUER:?}"
    xcrun stapler staple "$path"
    xcrun stapler validate "$path"
    ;;
  *)
    say "app or dmg, not $what"
    exit 2
    ;;
esac
