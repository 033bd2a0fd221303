"""Acceleration packs: which there are, getting one, checking it, taking it away again.

    pins      what each holds, file by file (resources/packs.toml)
    suits     which one this computer could use, and what for
    sources   where pip's configuration says that wheels come from
    links     the address of a wheel
    python    what a pack runs on: a Python that is here, or one that it brings
    fetching  the files, on their way
    unpack    wheels and tarballs become folders
    trial     one step of a tiny model, in the pack's own Python
    install   all of it, in order; verify, remove
    told      sentences for what goes wrong

How an installed pack is found and used is `app/worker/packs.py`. No Qt, no tensor library, and no
socket but in `links` and `fetching`, which nobody calls unless the user has asked for a pack.
"""
