"""Links that volunteers follow, and the same as a code to scan."""

from __future__ import annotations

import io

from starlette.requests import Request

from anlan.kernel.errors import Unavailable
from anlan.volunteers.hall import Hall


def link_to(hall: Hall, request: Request, path: str) -> str:
    """Return a link under the address that volunteers know, or that the asker came by where nobody told one."""
    return f"{hall.lists.page or str(request.base_url).rstrip('/')}{path}"


def drawn(link: str) -> str:
    """Return a link as a QR code, an SVG that stands in a page or by itself.

    Raises
    ------
    Unavailable
        If the extra for the community is not installed.
    """
    try:
        import segno  # noqa: PLC0415 - an extra, which a district may lack
    except ImportError:
        raise Unavailable("codes", "need segno", "pip install 'anlan[community]'") from None
    written = io.BytesIO()
    segno.make(link, error="m", micro=False).save(written, kind="svg", xmldecl=False, omitsize=True, border=2)
    return written.getvalue().decode()
