"""One file a collector: what it reads, its use and its limit."""
