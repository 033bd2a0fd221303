"""Models that are kept on this computer: which there are, getting them, trusting them, removing.

    catalogue   what Voxline offers (resources/models.toml)
    machine     whether a model suits this computer
    places      where on this computer a model is
    receipts    which folders were hashed, and what was found
    download    getting a model: hub, fetch, partial, told

No Qt, no engine, and no socket but in `fetch`, which nobody calls unless the user has asked for a
download.
"""
