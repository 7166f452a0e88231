"""Collections streamed from an object store through litdata."""
