"""The page on speed says what the benchmarks have stored."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
import benchmarking
import performance


def test_the_page_says_what_is_stored():
    stored = performance.read_stored()
    assert stored
    assert (performance.DOCS / "performance.md").read_text("utf-8") == performance.page(stored)


def test_a_comparison_and_a_figure_are_rows():
    comparison = benchmarking.Comparison("CNN", "torch", 2, [0.01] * 4, [0.03] * 4, 4.0, "bfloat16")
    limit = benchmarking.Limit("memory", 0.5, "GB", 1.0)
    text = performance.page(
        {
            "network": {
                "machine": {
                    **{"cpu": "a processor", "cores": 2, "instructions": "AVX2"},
                    **{"load": 0.1, "torch": "2.14"},
                },
                "results": [comparison.summary(), limit.summary()],
            }
        }
    )
    row = (
        "| CNN | torch (bfloat16) | 2 | 10.0 (10.0-10.0) | 30.0 (30.0-30.0) | **3.0** | 4, missed |"
    )
    assert row in text
    assert "| memory | 0.5 GB | under 1 |" in text
    assert "on 2 cores of a processor (AVX2), torch 2.14." in text
