"""Structures -> standard forms, in this process or as a child that answers JSON lines on its standard streams.

A request is `{"fingerprint": [radius, bits] or null, "structures": [[text, kind], ...]}`, an answer the list of
`[smiles, inchikey14, formula, exact_mass, isomeric_smiles]`, with `[bits...], [counts...]` behind where a fingerprint
was asked for, or of the reason why there is none.
"""

import json
import os
import sys

from specbridge_tools.errors import DataError


def forms_of(structures, fingerprint):
    """Standard forms of [(text, kind), ...], as lists, or the reason (str) why one has none."""
    return [_form_of(text, kind, fingerprint) for text, kind in structures]


def _form_of(text, kind, fingerprint):
    from specbridge_tools.molecules import chemistry

    try:
        if fingerprint is None:
            form, counts = chemistry.standardise(text, kind=kind), None
        else:
            radius, bits = fingerprint
            form, counts = chemistry.standardise_counted(text, kind=kind, radius=radius, bits=bits)
    except DataError as error:
        return error.message
    values = [form.smiles, form.inchikey14, form.formula, form.exact_mass, form.isomeric_smiles]
    return values if counts is None else [*values, list(counts), list(counts.values())]


def serve():
    """Answer requests from stdin until it ends; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            # dumps, not dump, which writes piece by piece
            answers.write(json.dumps(forms_of(request["structures"], request["fingerprint"])) + "\n")
            answers.flush()
    except BrokenPipeError:
        # whoever asked is gone
        os._exit(0)
