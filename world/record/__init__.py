"""Records of a world; reads only."""
