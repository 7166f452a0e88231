"""Evaluation of every model: metrics, test reports, and the callbacks that write them."""
