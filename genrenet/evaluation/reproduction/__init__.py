"""The source report again: its tables, matrices and curves beside what genrenet measures.

Haggblade, Hong and Kao (2011) compared four classical methods on four genres; Jimenez and Jose
(2017) fine-tuned published taggers and decided on songs by the mean of their frames.
`genrenet.evaluation.reproduction.run.reproduce` does it all, on one page.
"""
