"""Is the output exact here? Logits at all widths, texts with and without guesses, frequencies."""
