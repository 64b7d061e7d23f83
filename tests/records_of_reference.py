"""Spectra that references are built of, as text."""

RECORD = """BEGIN IONS
TITLE={title}
PEPMASS={mz}
CHARGE={charge}
SMILES={smiles}
NAME={name}
ADDUCT={adduct}
COLLISION_ENERGY={energy}
INSTRUMENT_TYPE=LC-ESI-QTOF
LICENSE={licence}
{peaks}
END IONS
"""
# phenacetin twice, paracetamol in both polarities, benzoic acid
RECORDS = {
    "R1": dict(mz=180.1019, smiles="CCOc1ccc(NC(C)=O)cc1", name="phenacetin", peaks="110.06 9\n138.09 5\n180.10 2"),
    "R2": dict(mz=202.0838, smiles="CCOc1ccc(NC(C)=O)cc1", adduct="[M+Na]+", peaks="110.06 9\n160.07 4"),
    "R3": dict(mz=152.0706, smiles="CC(=O)Nc1ccc(O)cc1", name="paracetamol", peaks="65.04 1\n93.03 2\n110.06 9"),
    "R4": dict(mz=150.0561, smiles="CC(=O)Nc1ccc(O)cc1", charge="1-", adduct="[M-H]-", peaks="107.04 9\n108.04 3"),
    "R5": dict(mz=123.0441, smiles="O=C(O)c1ccccc1", licence="CC BY", energy="20 eV", peaks="77.04 5\n105.03 9"),
}
DEFAULTS = dict(charge="1+", adduct="[M+H]+", name="", energy="", licence="CC0")


def mgf(*titles, **changes):
    """The text of these records."""
    return "\n".join(RECORD.format(title=title, **{**DEFAULTS, **RECORDS[title], **changes}) for title in titles)
