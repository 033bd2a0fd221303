"""Files from the model hub: `fetch` gets one, `told` says why not.

Imported by whoever the user has asked for a download, and by nobody else: an HTTP client comes with
it (`units` alone is light).
"""
