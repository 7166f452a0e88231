"""One judge for every model: metrics, the report of a test, and the callbacks that write it."""
