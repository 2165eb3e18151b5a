"""Requests and answers in OpenAI's shape, and what they mean in ours; no server, no model.

`chat.read` and `completion.read` make an `Asked` of a body: prompts and options, checked. `answers`
puts what came of it into OpenAI's objects, `errors` what went wrong. The server and the batch
runner share this, so that a line of a batch means what the same body means over HTTP.
"""
