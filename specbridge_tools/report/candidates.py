"""The best candidates of one query as an HTML table, each with its structure drawn."""

from __future__ import annotations

from collections.abc import Mapping

from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.level import candidate_levels
from specbridge_tools.report.identifiers import links
from specbridge_tools.report.markup import Markup, element, joined
from specbridge_tools.report.structures import structure_image
from specbridge_tools.report.table import fixed

TEXTS = ("rank", "smiles", "inchikey14", "formula", "adduct", "name", "all_ids", "id")
# column of the hits -> heading, digits behind the point
NUMBERS = {
    "exact_mass": ("mass (Da)", 4),
    "mass_error_ppm": ("error (ppm)", 2),
    "score": ("score", 3),
    "explained_intensity": ("explained intensity", 2),
    "reference_similarity": ("reference", 2),
    "analog_score": ("analog", 2),
    "probability": ("probability", 3),
}


def candidate_table(hits: Hits, *, top: int, truth: str = "") -> Markup:
    """The first `top` candidates, and how many more there are; marks those with the InChIKey block `truth`."""
    columns = {name: hits.column(name) for name in TEXTS if name in hits.columns}
    numbers = {name: hits.numbers(name) for name in NUMBERS if name in hits.columns}
    levels = candidate_levels(hits)
    headings = ("rank", "structure", "molecule", "formula", "adduct", *(NUMBERS[name][0] for name in numbers), "level")
    rows = [element("tr", *(element("th", heading) for heading in headings))]
    for row in range(min(top, len(hits))):
        texts = {name: values[row] for name, values in columns.items()}
        is_true = texts["inchikey14"] == truth
        cells = (
            element("td", texts.get("rank", row + 1)),
            element("td", structure_image(texts.get("smiles", ""))),
            element("td", _names(texts, is_true=is_true), class_="long"),
            element("td", texts.get("formula", "")),
            element("td", texts.get("adduct", "")),
            *(element("td", fixed(numbers[name][row], NUMBERS[name][1]), align="right") for name in numbers),
            element("td", levels[row]),
        )
        rows.append(element("tr", *cells, class_="true" if is_true else None))
    return joined(
        element("table", *rows, class_="candidates", border=1, cellpadding=4, cellspacing=0), _remainder(hits, top)
    )


def _names(texts: Mapping[str, str], *, is_true: bool) -> Markup:
    """Name, SMILES, InChIKey block and ids, one line each."""
    lines: list[str] = [element("b", texts["name"])] if texts.get("name") else []
    lines += [texts[name] for name in ("smiles", "inchikey14") if texts.get(name)]
    ids = texts.get("all_ids") or texts.get("id")
    lines += [joined("id ", links(ids))] if ids else []
    lines += [element("b", "true molecule")] if is_true else []
    return joined(*(element("div", line) for line in lines))


def _remainder(hits: Hits, top: int) -> Markup:
    n_compared = hits.value("n_candidates")
    text = f"{min(top, len(hits))} of {len(hits)} candidates in the table of hits"
    return element("p", f"{text}, of {n_compared} that were compared." if n_compared else f"{text}.")
