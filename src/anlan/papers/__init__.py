"""Papers: what a case, a place or a month says, set on a page as data, in Word or PDF, in Chinese or English."""

from anlan.papers.compose import Block, Paper, compose
from anlan.papers.layout import PaperType, read_paper, shipped_paper, shipped_papers
from anlan.papers.pdf import as_pdf
from anlan.papers.seal import Seal, new_key, sealed, verified
from anlan.papers.word import as_docx

__all__ = [
    "Block",
    "Paper",
    "PaperType",
    "Seal",
    "as_docx",
    "as_pdf",
    "compose",
    "new_key",
    "read_paper",
    "sealed",
    "shipped_paper",
    "shipped_papers",
    "verified",
]
