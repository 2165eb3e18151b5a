"""The loop: many sequences, one batch a step (`engine`), on a thread of its own (`worker`)."""
