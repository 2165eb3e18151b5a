"""The server: OpenAI's and Anthropic's endpoints over one engine, safe to leave running.

A request passes the guard (`guard`), is understood (`localspec.wire`, `messages`, `responses`),
answered by the resident model (`resident`, `answering`) and written as JSON or as events
(`events`). `app` puts the parts together, `run` runs them.
"""
