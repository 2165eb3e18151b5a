"""The speculative loop's logic, without a model: sampling, verification, sequences, statistics."""
