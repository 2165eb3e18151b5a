"""Decides, step by step, who guesses and how much."""
