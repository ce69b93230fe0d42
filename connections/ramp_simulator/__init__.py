"""A pretend Ramp: plain WSGI, with no knowledge of our own client.

Start at `app.Simulator`. `operations.OPERATIONS` lists what it serves and which published
specification each operation follows.
"""
