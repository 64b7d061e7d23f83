"""The precursor of an mzML spectrum: what its `precursorList` says."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable, add_field
from specbridge_tools.spectra.isolation import take_window, window_of_offsets
from specbridge_tools.spectra.msn import Ancestors, is_deep
from specbridge_tools.spectra.mzml_params import Parameters
from specbridge_tools.spectra.reading import Reading

# Accessions of the PSI-MS controlled vocabulary.
_SELECTED_MZ = ("MS:1000744", "MS:1000040")
_WINDOW_TARGET = "MS:1000827"
_WINDOW_OFFSETS = ("MS:1000828", "MS:1000829")
_CHARGE_STATE = "MS:1000041"
_PEAK_INTENSITY = "MS:1000042"
_ENERGY = "MS:1000045"
_NORMALISED_ENERGY = "MS:1000138"
_RAMP = ("MS:1002013", "MS:1002014")
_ELECTRONVOLT = "UO:0000266"
Groups = Mapping["str | None", Parameters]


def read_precursor(
    fields: dict[str, str], element: etree._Element, groups: Groups, reading: Reading, ancestors: Ancestors
) -> None:
    """Add precursor m/z, charge, intensity and collision energy to the fields of a spectrum.

    Those of MS3 and deeper get the chain of `msn_precursor_mzs`, by the level that msconvert writes beside each
    isolation window, or by `spectrumRef`.

    Raises:
        Unusable: There are several, or it cannot be told.
    """
    precursors = element.findall("{*}precursorList/{*}precursor")
    if not precursors:
        return
    name = element.get("id") or ""
    if is_deep(fields.get("mslevel")):
        _read_chain(fields, precursors, groups, reading, ancestors)
        ancestors.remember(name, fields["msn_precursor_mzs"].strip("[]").split(",")[0], fields.get("charge", ""))
        return
    ions = precursors[0].findall("{*}selectedIonList/{*}selectedIon")
    ion = Parameters(ions[0], groups) if ions else Parameters()
    values = {
        "charge": ion.value(_CHARGE_STATE),
        "precursor_intensity": ion.value(_PEAK_INTENSITY),
        "collision_energy": _energy(Parameters(precursors[0].find("{*}activation"), groups)),
    }
    for key, value in values.items():
        if value:
            add_field(fields, key, value)
    if len(ions) > 1 or len(precursors) > 1:
        raise Unusable(reasons.SEVERAL_PRECURSORS, f"{max(len(ions), len(precursors))}")
    if precursor_mz := _precursor_mz(fields, precursors[0], groups, reading):
        fields["precursor_mz"] = precursor_mz
        ancestors.remember(name, precursor_mz, fields.get("charge", ""))


def _precursor_mz(fields: dict[str, str], precursor: etree._Element, groups: Groups, reading: Reading) -> str | None:
    """What the isolation window allows as precursor m/z, see `take_window`."""
    isolation = Parameters(precursor.find("{*}isolationWindow"), groups)
    window = window_of_offsets(isolation.value(_WINDOW_TARGET), *map(isolation.value, _WINDOW_OFFSETS))
    return take_window(fields, _ion(precursor, groups).first(_SELECTED_MZ), window, reading.widest_window)


def _ion(precursor: etree._Element, groups: Groups) -> Parameters:
    ion = precursor.find("{*}selectedIonList/{*}selectedIon")
    return Parameters() if ion is None else Parameters(ion, groups)


def _read_chain(
    fields: dict[str, str], precursors: list[etree._Element], groups: Groups, reading: Reading, ancestors: Ancestors
) -> None:
    levels = [_level(precursor) for precursor in precursors]
    last = max(range(len(levels)), key=lambda i: levels[i])
    if energy := _energy(Parameters(precursors[last].find("{*}activation"), groups)):
        add_field(fields, "collision_energy", energy)
    own = _precursor_mz({}, precursors[last], groups, reading)
    if len(precursors) > 1 and levels.count(1) == 1:
        first = precursors[levels.index(1)]
        precursor_mz = _precursor_mz({}, first, groups, reading)
        if precursor_mz:
            ancestors.put(fields, precursor_mz, _ion(first, groups).value(_CHARGE_STATE) or "", own)
            return
    ancestors.take(fields, [precursor.get("spectrumRef") for precursor in precursors], own)


def _level(precursor: etree._Element) -> int:
    """The level of the spectrum in which the ion was isolated, 0 where the file does not say."""
    for parameter in precursor.iterfind("{*}isolationWindow/{*}userParam"):
        text = parameter.get("value") or ""
        if parameter.get("name") == "ms level" and text.isascii() and text.isdecimal():
            return int(text[:3])
    return 0


def _energy(activation: Parameters) -> str | None:
    low, high = map(activation.value, _RAMP)
    if low and high:
        return f"Ramp {low}-{high} eV"
    if energy := activation.value(_ENERGY):
        return f"{energy} eV" if activation.unit(_ENERGY) == _ELECTRONVOLT else energy
    energy = activation.value(_NORMALISED_ENERGY)
    return f"{energy} NCE" if energy else None
