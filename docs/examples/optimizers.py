"""The optimisers as the table that docs/solving.md has; `--write` puts it there."""

from __future__ import annotations

import sys
from pathlib import Path

from rosephys.scene.optimizers import OPTIMIZERS

PAGE = Path(__file__).parents[1] / "solving.md"
BEGIN, END = "<!-- optimizers -->\n", "<!-- end of optimizers -->"
NEEDS = {"residuals": "[residuals](#fitting)", "stages": "[stages](#a-cost-along-the-way)"}


def table() -> str:
    """The rows, as Markdown."""
    rows = [
        "| | a step is | take it when | constraints | needs |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in OPTIMIZERS.values():
        needs = [NEEDS[row.needs]] if row.needs else []
        needs += [f"`{row.extra}`"] if row.extra else []
        kept = "keeps them" if row.constraints else ""
        rows.append(f"| `{row.name}` | {row.step} | {row.suits} | {kept} | {', '.join(needs)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Print the table, or write it."""
    if "--write" not in sys.argv:
        print(table(), end="")
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
