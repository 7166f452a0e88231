"""Front ends, networks, the model made of both, and its checkpoints."""
