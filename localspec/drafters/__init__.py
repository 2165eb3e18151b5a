"""Ways of guessing what the target will say next: one file each, one small interface."""
