"""The built-in baselines, registered through the entry-point group that outsiders use."""
