"""Scripted generation: a file of questions in, a file of answers out, whatever happens between.

The rooms of this folder, in the order in which a line passes them:

    source     bytes become records, one a line; what cannot be read is a record too
    request    a record becomes a task: a whole request of the OpenAI API, with a seed of its own
    identity   what makes a task the same task in another run
    plan       which tasks there are, which are answered, where: an index on disk
    backends   who answers: the engine here, servers elsewhere, a Ray cluster
    journal    answers as they come, each with a checksum, never rewritten
    output     the journal's answers become the output file, whole or not at all

`run` puts them together. The output is a function of the input, the model and the seed alone.
"""
