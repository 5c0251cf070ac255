"""Read a paper as its receiver would: printed at 200 dots an inch, its code by a reader of barcodes."""

import pypdfium2
import zxingcpp


def printed_page(pdf):
    """Return the first page of a PDF as it is printed."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[0].render(scale=200 / 72).to_pil()


def text_in(picture):
    """Return what the one code in a picture says."""
    (code,) = zxingcpp.read_barcodes(picture)
    return code.text
