"""Converters of published weights."""
