"""Papers and indicators in a terminal: which there are, how a number is computed, whether a certificate is genuine."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput

papers_app = typer.Typer(help="Papers: letters, agreements, certificates as data.", no_args_is_help=True)
indicators_app = typer.Typer(help="Indicators: what the district measures itself by.", no_args_is_help=True)

EVERY = {"week": "每周", "month": "每月", "quarter": "每季", "year": "每年"}


@papers_app.command("list")
def papers(as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The templates that come with Anlan, and the words that each needs."""
    from anlan.papers import shipped_papers

    kinds = list(shipped_papers())
    if as_json:
        say.as_json(
            {"papers": [{"id": one.paper_id, "title": one.title, "needs": sorted(one.slots())} for one in kinds]}
        )
        return
    shown = say.table("", *(("编号", "名称", "须填") if lang == "zh" else ("id", "title", "needs")))
    for one in kinds:
        shown.add_row(one.paper_id, escape(say.name_in(dict(one.title), lang)), ", ".join(sorted(one.slots())))
    say.out.print(shown)


@papers_app.command()
def verify(
    code: Annotated[str, typer.Argument(help="The text of the code on a certificate.")],
    key: Annotated[str, typer.Option(help="Public key of the issuer, 64 hexadecimal digits.")],
    as_json: AsJson = False,
) -> None:
    """Tell what a certificate's code says, if that key signed it; exit with 4 where it did not. No network is asked."""
    from anlan.papers import verified

    try:
        public = bytes.fromhex(key)
    except ValueError:
        raise BadInput(f"key={key[:20]!r}", "must be 64 hexadecimal digits", "copy the issuer's public key") from None
    if len(public) != 32:
        raise BadInput(f"key of {len(public)} bytes", "must be 32 bytes", "copy the issuer's public key")
    told = verified(code, public).told
    if as_json:
        say.as_json({"verified": True, "told": dict(told)})
        return
    for name, value in told.items():
        say.out.print(f"{name}: {escape(value)}", soft_wrap=True)


@indicators_app.command("list")
def indicators(as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The indicators that come with Anlan, each with its formula."""
    from anlan.indicators import shipped_indicators

    kinds = shipped_indicators()
    if as_json:
        say.as_json(
            {"indicators": [{"id": one.indicator_id, "label": one.label, "unit": one.unit, "formula": one.formula,
                             "level": one.level, "period": one.period, "least": one.least} for one in kinds]}
        )  # fmt: skip
        return
    zh = lang == "zh"
    shown = say.table("", *(("名称", "周期", "公式") if zh else ("name", "every", "formula")))
    for one in kinds:
        every = EVERY[one.period] if zh else str(one.period)
        shown.add_row(say.name_in(dict(one.label), lang), every, escape(one.formula))
    say.out.print(shown)
