"""What stands on the chat's screen."""
