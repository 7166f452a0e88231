"""General helpers, independent of music: errors, files, caches, hardware, progress, figures."""
