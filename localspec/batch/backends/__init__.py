"""Who answers: one file a way of answering, all with the same small interface (`base`)."""
