"""The web page that names a song's genre, and its JSON API."""
