"""In place of the community's hook, which looks for the distribution `webrtcvad`: ours is
`webrtcvad-wheels`, whose metadata `frozen_parts.py` brings along like that of all others."""
