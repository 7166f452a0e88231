"""Reports: tables as data files, figures, and HTML pages."""

from genrenet.utils.moved import names_of

# It was a module once.
__getattr__ = names_of(
    __name__,
    ["genrenet.evaluation.report.test_report"],
    ["predictions_table", "render", "write_predictions", "write_report"],
)
