"""The only room that touches llama_cpp: the library, a model, a context with its KV cache."""
