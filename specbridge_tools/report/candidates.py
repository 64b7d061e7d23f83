"""The best candidates of one query as an HTML table, each with its structure drawn."""

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.chemistry import draw_structure
from specbridge_tools.report.markup import element, image, joined

_WIDTH, _HEIGHT = 220, 140
# column of the hits -> heading, digits behind the point
_NUMBERS = {
    "exact_mass": ("mass (Da)", 4),
    "mass_error_ppm": ("error (ppm)", 2),
    "score": ("score", 3),
    "explained_intensity": ("explained intensity", 2),
    "probability": ("probability", 3),
}


def candidate_table(hits, *, top, truth=""):
    """The first `top` candidates of `Hits`, and how many there are beside them; truth: InChIKey block to be marked."""
    numbers = {name: hits.numbers(name) for name in _NUMBERS if name in hits.columns}
    headings = ("rank", "structure", "molecule", "formula", "adduct", *(_NUMBERS[name][0] for name in numbers))
    rows = [element("tr", *(element("th", heading) for heading in headings))]
    for at in range(min(top, hits.n_rows)):
        values = hits.printed(at)
        cells = (
            element("td", values.get("rank", at + 1)),
            element("td", _structure(values.get("smiles", ""))),
            element("td", _names(values, is_true=values["inchikey14"] == truth), class_="long"),
            element("td", values.get("formula", "")),
            element("td", values.get("adduct", "")),
            *(element("td", fixed(numbers[name][at], _NUMBERS[name][1]), align="right") for name in numbers),
        )
        rows.append(element("tr", *cells, class_="true" if values["inchikey14"] == truth else None))
    return joined(element("table", *rows, border=1, cellpadding=4, cellspacing=0), _remainder(hits, top))


def fixed(number, digits):
    """A number with so many digits, '' for NaN."""
    return "" if number != number else f"{number:.{digits}f}"


def _structure(smiles):
    try:
        svg = draw_structure(smiles, width=_WIDTH, height=_HEIGHT)
    except DataError as error:
        return f"{smiles} ({error.message})"
    return image(svg, text=smiles, width=_WIDTH, height=_HEIGHT)


def _names(values, *, is_true):
    lines = [element("b", values["name"])] if values.get("name") else []
    lines += [values[name] for name in ("smiles", "inchikey14") if values.get(name)]
    ids = values.get("all_ids") or values.get("id")
    lines += [f"id {ids}"] if ids else []
    lines += [element("b", "true molecule")] if is_true else []
    return joined(*(element("div", line) for line in lines))


def _remainder(hits, top):
    compared = hits.value("n_candidates")
    shown = min(top, hits.n_rows)
    text = f"{shown} of {hits.n_rows} candidates in the table of hits"
    return element("p", f"{text}, of {compared} that were compared." if compared else f"{text}.")
