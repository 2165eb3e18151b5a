"""The terminal chat: a Textual app over a session, which knows of no screen.

`session` is the heart: a person, a model and what is kept. Below it stand `store` (SQLite) and
`backend` (who answers: `local`, `server`); above it `app`, where the parts meet: `window` (what
stands where), `turns`, `progress`, `keeping`, and `commands`, done by `deeds` and `choosing`.
`figures`, `telling`, `text`, `tint` and `exchange` are functions of what they are given.
"""
