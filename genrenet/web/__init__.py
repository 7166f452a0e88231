"""The web page for genre classification, and its JSON API."""
