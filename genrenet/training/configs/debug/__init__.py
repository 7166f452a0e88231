"""Configurations for checking that training works at all."""
