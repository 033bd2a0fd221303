"""Photographs of the real windows in every state, look, script and size, with sheets to look at.

    python -m tests.ui.photographs FOLDER            # everything; options narrow it down

`scene` builds the app with sessions that are fakes, `states` brings it into each state,
`checks` finds what a program can find, `sheets` lays out the pictures for a person to look at.
"""
