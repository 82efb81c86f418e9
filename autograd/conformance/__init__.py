"""A kit that grades any scalar autograd engine, and says which mistake an error smells of.

It imports nothing but the standard library and itself, so the folder can be copied anywhere and run
by its path: `python conformance engine:Value`. See README.md.
"""
