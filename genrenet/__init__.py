"""genrenet: what genre is this, and which method is really better?"""
