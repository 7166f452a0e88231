"""Quotes that span several lines."""

import csv

import pytest

from genrenet.utils.open_quotes import Span, spans


def found(text, delimiter=","):
    return list(spans(text.splitlines(), delimiter))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user,item\nanna,x\n",
        'user,item\nanna,"x, y"\n',
        'user,item\nanna,"x ""y"" z"\n',
        'user,item\nanna,12" single\nben,y\n',  # within a field a quote is a letter
        'user,item\nanna,""\n',
    ],
)
def test_quotes_that_close_in_their_line(text):
    assert found(text) == []


def test_a_field_with_a_line_break_swallows_nothing():
    (span,) = found('user,item\nanna,"a\nb"\nben,c\n')
    assert span == Span(2, 3, closed=True, rows=0)
    assert not span.swallows


def test_rows_up_to_the_next_quote_are_swallowed():
    text = 'user,item,plays\nanna,"x,3\nben,y,2\ncarl,"z",5\n'
    (span,) = found(text)
    assert span == Span(2, 4, closed=True, rows=2)
    assert span.swallows
    assert str(span) == "a quote opens in line 2 and is not closed before line 4"
    assert span.fault["found"] == "2 rows inside one field"
    assert "line 2" in span.fault["remedy"]


def test_a_quote_that_closes_within_a_word_swallowed_a_row():
    assert found('user,item\nanna,"x\nb"en\n') == [Span(2, 3, closed=True, rows=1)]


def test_two_quotes_within_a_field_are_one_letter_of_it():
    assert found('user,item\nanna,"x\ny """\nben,z\n') == [Span(2, 3, closed=True, rows=0)]


def test_a_quote_that_never_closes():
    (span,) = found('user,item\nanna,"x\nben,y\n')
    assert (span.first, span.last, span.closed) == (2, 3, False)
    assert span.swallows
    assert "the end of the file" in str(span)
    (last,) = found('user,item\nanna,"x\n')
    assert last.swallows
    assert last.fault["found"] == "no closing quote"


def test_the_delimiter_says_where_a_field_begins():
    assert found('user\titem\na,"x\ty\n', "\t") == []
    assert found('user\titem\na\t"x\nb\ty\n', "\t") == [Span(2, 3, closed=False, rows=1)]


def test_spans_are_the_rows_that_the_csv_module_reads_as_one():
    text = 'a,b\n1,"x\ny"\n2,z\n3,"p\n\nq ""r"" s"\n4,t\n'
    reader = csv.reader(text.splitlines(keepends=True))
    before, wanted = 0, []
    for _ in reader:
        if reader.line_num - before > 1:
            wanted.append((before + 1, reader.line_num))
        before = reader.line_num
    assert [(span.first, span.last) for span in found(text)] == wanted
    assert len(wanted) == 2
