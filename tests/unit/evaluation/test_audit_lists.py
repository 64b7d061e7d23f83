"""The structures of candidate lists as they are spelled in their table."""

import numpy as np

from specbridge_tools.evaluation.audit_lists import read_audit_lists
from specbridge_tools.evaluation.candidates import CandidateList
from specbridge_tools.evaluation.truth import Truth
from specbridge_tools.molecules.chemistry import standardise


def test_of_several_structures_of_a_row_the_one_that_can_be_read_counts(tmp_path):
    path = tmp_path / "lists.tsv"
    path.write_text("list_id\tsmiles\tisomeric_smiles\nx\tC1CC\tOCC\nx\tCCN\tNCC\nx\tC1CC\tnone of it\n")
    truth = Truth("q", standardise("CCO").inchikey14, 1, "", 47.05, list_id="x")
    nothing = np.zeros(0)
    (found,) = read_audit_lists(path, [CandidateList(truth, nothing.astype(np.int64), nothing, None, -1, 0)], [])
    assert (found.as_given, found.canonical, found.truth_at) == ([["OCC"], ["CCN"]], ["CCO", "CCN"], 0)
