"""Conversations to tokens by a model's own template; calls and thoughts told from answers."""
