"""Reproduce the source report: its tables, matrices and curves next to genrenet's own results.

Haggblade, Hong and Kao (2011) compared four classical methods on four genres; Jimenez and Jose
(2017) fine-tuned published taggers and averaged the scores of frames per song.
`genrenet.evaluation.reproduction.run.reproduce` repeats both, and writes one page.
"""
