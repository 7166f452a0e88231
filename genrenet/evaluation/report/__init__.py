"""Reports: tables for programs, figures, and pages for people."""
