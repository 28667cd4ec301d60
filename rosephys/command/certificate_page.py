"""A certificate as a page of its own, and as data."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np

from ..files.atomic import replacing
from .certificate import Certificate

WIDE, HIGH, EDGE = 640, 240, 34  # of the plot, in pixels
COLOURS = {"ok": "#2e9e6b", "note": "#c98a1b", "FAILED": "#d64545"}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}: {title}</title>
<style>
  :root {{ color-scheme: light dark; --ink: #1c2430; --dim: #5d6b7e; --back: #fff; --line: #d9dfe7; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ --ink: #dde4ee; --dim: #93a1b5; --back: #141920; --line: #2c3542; }} }}
  body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
    max-width: 52rem; margin: 2.5rem auto; padding: 0 1rem; }}
  h1 {{ font-size: 1.5rem; margin: 0; }}
  p {{ color: var(--dim); margin: .3rem 0 1.2rem; }}
  table {{ border-collapse: collapse; width: 100%; margin: 1.5rem 0; }}
  td, th {{ text-align: left; vertical-align: top; padding: .5rem .7rem .5rem 0;
    border-bottom: 1px solid var(--line); }}
  td small {{ display: block; color: var(--dim); white-space: pre-wrap; }}
  .verdict {{ font-weight: 600; white-space: nowrap; }}
  svg {{ width: 100%; height: auto; }}
  svg text {{ fill: var(--dim); font: 12px system-ui, sans-serif; }}
</style>
<h1>{name}: {title}</h1>
<p>value {loss:.8g}, differentiated by {tool}, at {place}</p>
{plot}
<table>
<tr><th>what was tried<th><th>what was found
{rows}
</table>
</html>
"""


def as_data(certificate: Certificate) -> dict[str, Any]:
    """All of it but the picture, for JSON."""
    subject = certificate.subject
    return {
        "format": 1,
        "function": subject.name,
        "tool": subject.tool,
        "at": subject.values,
        "right": certificate.right,
        "value": certificate.loss,
        "gradient": certificate.gradient,
        "findings": certificate.findings,
    }


def write_page(certificate: Certificate, path: Path) -> None:
    """Write it as a page; whole, or not at all."""
    subject = certificate.subject
    values = {n: np.array2string(v, precision=5, threshold=8) for n, v in subject.values.items()}
    text = _PAGE.format(
        name=html.escape(subject.name),
        title=title(certificate),
        loss=certificate.loss,
        tool=subject.tool,
        place=html.escape(", ".join(f"{n} = {v}" for n, v in values.items())),
        plot=_plot(certificate),
        rows="\n".join(_row(*f) for f in _rows(certificate)),
    )
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def title(certificate: Certificate) -> str:
    """What it comes to."""
    if not certificate.right:
        return "the gradient is wrong"
    noted = any(f.verdict == "note" for f in certificate.findings)
    return "the gradient is right" + (", with a note" if noted else "")


def _rows(certificate: Certificate) -> list[tuple[str, str, str, str]]:
    return [(f.check, f.verdict, f.measured, f.advice) for f in certificate.findings]


def _row(check: str, verdict: str, measured: str, advice: str) -> str:
    lines = [line for line in advice.splitlines() if line.strip(" ^")]  # no marks below the source
    text = html.escape("\n".join(lines))
    more = f"<small>{text}</small>" if lines else ""
    mark = f'<td class="verdict" style="color: {COLOURS[verdict]}">{verdict}'
    return f"<tr><td>{html.escape(check)}{mark}<td>{html.escape(measured)}{more}"


def _plot(certificate: Certificate) -> str:
    """The value along the line of steepest descent, and the line that the gradient promises."""
    at, values, slope = certificate.picture
    if not (len(at) and np.isfinite(values).all()):
        return ""
    promised = certificate.loss + slope * at
    low = float(min(values.min(), promised.min()))
    high = float(max(values.max(), promised.max()))
    tall = (high - low) or 1.0
    x = EDGE + (at - at[0]) / (at[-1] - at[0]) * (WIDE - 2 * EDGE)

    def line(y: Any, colour: str, dash: str) -> str:
        rows = HIGH - EDGE - (y - low) / tall * (HIGH - 2 * EDGE)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, rows, strict=True))
        return (
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{dash}"/>'
        )

    return (
        f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="the value along steepest descent">'
        f"{line(promised, '#8a94a3', '5 4')}{line(values, '#2f7fd6', '')}"
        f'<text x="{EDGE}" y="{HIGH - 8}">2 % up</text>'
        f'<text x="{WIDE - EDGE}" y="{HIGH - 8}" text-anchor="end">2 % down, along steepest descent</text>'
        f'<text x="{EDGE}" y="18">the value, and dashed what the gradient promises</text></svg>'
    )
