"""Papers and indicators in a terminal: which there are, how a number is computed, whether a certificate is genuine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput

papers_app = typer.Typer(help="Papers: letters, agreements, certificates as data.", no_args_is_help=True)
indicators_app = typer.Typer(help="Indicators: what the district measures itself by.", no_args_is_help=True)

Url = Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")]
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


Area = Annotated[str, typer.Option(help="An area of yours; the whole district if empty.")]


def _shown(one: dict[str, Any], lang: str) -> str:
    """Return a number as a person reads it: unknown and hidden are words, and never zero."""
    zh = lang == "zh"
    if one["hidden"]:
        return "不公开" if zh else "hidden"
    if one["value"] is None:
        return f"{'未知' if zh else 'unknown'} ({one['unknown']})"
    n = "" if one["n"] is None else f" (n={one['n']})"
    return f"{one['value']:,.4g}{n}"


@indicators_app.command()
def show(
    which: Annotated[str, typer.Argument(help="Its id; see `anlan indicators list`.")], area: Area = "",
    period: Annotated[str, typer.Option(help="2026-03, 2026-Q1, 2026; the present one if empty.")] = "",
    cases: Annotated[bool, typer.Option("--cases", help="What is behind it, as far as you see it.")] = False,
    url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """A number of a running server: now, before, a year ago, and in the areas directly below."""
    server, asked = Server(url), urlencode({"area": area, "period": period})
    made = server.ask(f"/indicators/{quote(which)}{'/cases' if cases else ''}?{asked}")
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    if cases:
        heads = {"zh": ("编号", "状态", "区域", "登记"), "en": ("id", "state", "area", "opened")}
        rows = [
            (one["id"], say.name_in(one["state_label"], lang), one["area"], one["opened_at"]) for one in made["cases"]
        ]
        beside = [(one["id"], one["source"], one["area"], one["from_at"]) for one in made["entries"]]
        say.listed(heads, [*rows, *beside], lang)
        return
    kind = made["indicator"]
    so_far = "" if made["complete"] else ("（截至目前）" if zh else " (so far)")
    unit = say.name_in(kind["unit"], lang)
    say.out.print(f"{say.name_in(kind['label'], lang)} {made['period']}{so_far}, {escape(unit)}", soft_wrap=True)
    say.out.print(f"  {escape(kind['formula'])}", soft_wrap=True)
    shown = say.table("", *(("区域", "数值") if zh else ("area", "value")))
    for name, one in (
        ("上期" if zh else "before", made["before"]),
        ("去年同期" if zh else "a year ago", made["year_ago"]),
    ):
        shown.add_row(name, _shown(one, lang))
    for one in (made["whole"], *made["parts"]):
        shown.add_row(say.name_in(one["name"], lang), _shown(one, lang))
    say.out.print(shown)


@indicators_app.command()
def bulletin(
    month: Annotated[str, typer.Argument(help="Such as 2026-03.")],
    out: Annotated[Path, typer.Argument(help="The file to write, .pdf or .docx.")], area: Area = "", url: Url = USUAL,
    lang: Lang = "zh",
) -> None:  # fmt: skip
    """Write the bulletin of a month; only what may be published is in it."""
    asked = {"month": month, "area": area, "form": out.suffix.lower().lstrip("."), "lang": lang}
    say.wrote(out, Server(url).fetch(f"/indicators/bulletin?{urlencode(asked)}"))


@indicators_app.command()
def publish(out: Annotated[Path, typer.Argument(help="CSV file to write.")], url: Url = USUAL) -> None:
    """Write each indicator of its last whole period, without small counts and what would give them away."""
    say.wrote(out, Server(url).fetch("/indicators/public?form=csv"))
