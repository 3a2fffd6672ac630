"""Parameter sections; see conf/schema.py for how they are checked."""
