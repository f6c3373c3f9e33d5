"""Models of chips and boards that run the real firmware."""
