"""What the module `expect` is made of: one file for each kind of claim."""
