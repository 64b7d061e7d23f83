"""mzMLb: arrays in datasets beside the XML, in chunks and in one piece."""

import io
import random
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from fuzz import hdf5, texts
from fuzz.cases import BYTES, Format, several

_KINDS = {"mz": "1000514", "intensity": "1000515"}


def _parameter(accession: str, value: object = "") -> str:
    return f'<cvParam cvRef="MS" accession="MS:{accession}" name="n" value="{value}"/>'


def _array(kind: str, offset: int, *terms: str) -> str:
    external = {"1002841": kind, "1002842": offset, "1002843": 2}
    names = [_KINDS[kind], "1000523", *terms]
    parameters = [*map(_parameter, names), *(_parameter(*item) for item in external.items())]
    return f"<binaryDataArray>{''.join(parameters)}<binary/></binaryDataArray>"


def _spectrum(number: int, *terms: str) -> str:
    ion = _parameter("1000744", "152.0706") + _parameter("1000041", "1")
    return (
        f'<spectrum index="{number}" id="scan={number}" defaultArrayLength="2">'
        f"{_parameter('1000511', '2')}{_parameter('1000130')}\n"
        f"<precursorList><precursor><selectedIonList><selectedIon>{ion}</selectedIon></selectedIonList></precursor>"
        f"</precursorList>\n<binaryDataArrayList>{_array('mz', 2 * number, *terms)}{_array('intensity', 2 * number)}"
        "</binaryDataArrayList></spectrum>\n"
    )


XML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0">\n'
    f"<run><spectrumList>\n{_spectrum(0)}{_spectrum(1, '1003089')}{_spectrum(2, '1003090')}</spectrumList></run>\n"
    "</mzML>\n"
)


def _content(*, packed: bool) -> bytes:
    stream = io.BytesIO()
    settings = {"compression": "gzip", "shuffle": True, "chunks": True} if packed else {}
    with h5py.File(stream, "w") as file:
        data = np.frombuffer(XML.encode(), "i1")
        file.create_dataset("mzML", data=data, **settings).attrs["version"] = "mzMLb 1.0"
        file.create_dataset("mz", data=np.array([65.0386, 110.06] * 3), **settings)
        file.create_dataset("intensity", data=np.array([10, 100] * 3, "f4"), **settings)
    return stream.getvalue()


def make_seeds(folder: Path) -> dict[str, Sequence[tuple[str, ...]]]:
    commands = texts.spectra(packed="").make_seeds(folder)["packed"]
    for name in ("packed", "plain"):
        (folder / name).write_bytes(_content(packed=name == "packed"))
    return dict.fromkeys(("packed", "plain"), commands)


def change_xml(content: bytes, rng: random.Random) -> bytes:
    """Another text in the dataset of the XML."""

    def change(file: h5py.File) -> None:
        text = rng.choice(texts.TEXT)(XML.encode(), rng)
        del file["mzML"]
        file["mzML"] = np.frombuffer(text, rng.choice(("i1", "u1", "S1"))) if text else np.zeros(0, "i1")

    return hdf5.changed(content, change)


def change_place(content: bytes, rng: random.Random) -> bytes:
    """Another dataset, offset or length for an array."""

    def change(file: h5py.File) -> None:
        numbers = ("-1", "0", "1", "5", "6", "1e3", "x", "", str(2**31), str(2**63), str(2**64), "9" * 400)
        old = rng.choice(('value="mz"', 'value="0"', 'value="2"', 'value="4"', "1002841", "1003089", "1000523"))
        new = rng.choice((*numbers, "mzML", "intensity", "/", "..", "secret"))
        new = rng.choice(("1000521", "1002312", "1002746", "1003088")) if old.isdigit() else f'value="{new}"'
        parts = XML.split(old)
        at = rng.randrange(1, len(parts))
        text = (old.join(parts[:at]) + new + old.join(parts[at:])).encode()
        del file["mzML"]
        file["mzML"] = np.frombuffer(text, "i1")

    return hdf5.changed(content, change)


FORMAT = Format(
    (*texts.spectra().modules, "pyteomics.mzmlb"),
    make_seeds,
    (
        *BYTES,
        several(BYTES),
        *(hdf5.change_structure,) * 4,
        hdf5.change_attribute,
        hdf5.change_dataset,
        hdf5.change_values,
        hdf5.add_foreign,
        *(change_xml,) * 3,
        *(change_place,) * 2,
    ),
)
