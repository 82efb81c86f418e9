"""The compiler: a Program as machine code that runs over a batch."""
