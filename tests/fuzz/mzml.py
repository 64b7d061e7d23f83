"""mzML: zlib, no compression, groups of parameters."""

import base64
import random
import struct
import zlib

from fuzz.cases import Format
from fuzz.texts import TEXT, spectra


def _parameter(accession, value=""):
    return f'<cvParam cvRef="MS" accession="MS:{accession}" name="n" value="{value}"/>'


def _array(kind, values, *, pack):
    data = struct.pack(f"<{len(values)}d", *values)
    text = base64.b64encode(zlib.compress(data) if pack else data).decode()
    kinds = _parameter(kind) + _parameter("1000523") + _parameter("1000574" if pack else "1000576")
    return f"<binaryDataArray>{kinds}<binary>{text}</binary></binaryDataArray>"


def _spectrum(number, *, pack):
    ion = _parameter("1000744", "152.0706") + _parameter("1000041", "1")
    window = _parameter("1000827", "152.07") + _parameter("1000828", "0.5") + _parameter("1000829", "0.5")
    arrays = _array("1000514", (65.0386, 110.06), pack=pack) + _array("1000515", (10.0, 100.0), pack=pack)
    return (
        f'<spectrum index="{number}" id="scan={number}" defaultArrayLength="2">'
        f'<referenceableParamGroupRef ref="g"/>{_parameter("1000511", "2")}\n'
        f"<precursorList><precursor><isolationWindow>{window}</isolationWindow><selectedIonList><selectedIon>{ion}"
        "</selectedIon></selectedIonList></precursor></precursorList>\n"
        f"<binaryDataArrayList>{arrays}</binaryDataArrayList></spectrum>\n"
    )


MZML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0">\n'
    f'<referenceableParamGroupList><referenceableParamGroup id="g">{_parameter("1000130")}</referenceableParamGroup>'
    f"</referenceableParamGroupList>\n<run><spectrumList>\n{_spectrum(1, pack=True)}{_spectrum(2, pack=False)}"
    "</spectrumList></run>\n</mzML>\n"
)


def change_array(content: bytes, rng: random.Random) -> bytes:
    """Another stream of zlib, or another length, in the place of one."""
    begin = content.find(b"<binary>", rng.randrange(len(content))) + 8
    end = content.find(b"</binary>", begin)
    if begin < 8 or end < 0:
        return content.replace(b'Length="2"', b'Length="%d"' % rng.choice((0, 1, 3, 10**6, 150_000_000, 2**31)))
    data = rng.choice((bytes(1 << 26), bytes(7), b"", struct.pack("<2d", float("nan"), -1.0), rng.randbytes(16)))
    return content[:begin] + base64.b64encode(zlib.compress(data)) + content[end:]


_TEXT = spectra(start=rb"<spectrum\s", plain=MZML)
FORMAT = Format(_TEXT.modules, _TEXT.make_seeds, (*TEXT, change_array), _TEXT.lost)
