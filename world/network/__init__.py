"""The ecosystem graph: acquaintance, ties between firms, open bases."""
