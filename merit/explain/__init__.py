"""`merit explain`: how spans are read, and why. Shows what the steps of the pipeline do; works nothing out by itself."""
