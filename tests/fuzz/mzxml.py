"""mzXML, scans within scans."""

import base64
import struct

from fuzz.texts import spectra


def _scan(number, level, inside=""):
    peaks = base64.b64encode(struct.pack(">4f", 65.0386, 10.0, 110.06, 100.0)).decode()
    precursor = '<precursorMz precursorIntensity="5" precursorCharge="1">152.0706</precursorMz>\n' if level > 1 else ""
    return (
        f'<scan num="{number}" scanType="Full" centroided="1" msLevel="{level}" peaksCount="2" polarity="+" '
        f'retentionTime="PT1M2.5S">\n{precursor}<peaks compressionType="none" compressedLen="0" precision="32" '
        f'byteOrder="network" contentType="m/z-int">{peaks}</peaks>\n{inside}</scan>\n'
    )


MZXML = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<mzXML '
    'xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">\n<msRun scanCount="3">\n'
    '<msInstrument msInstrumentID="1"><msModel category="msModel" value="x"/></msInstrument>\n'
    f"{_scan(1, 1, _scan(2, 2))}{_scan(3, 2)}</msRun>\n<indexOffset>0</indexOffset>\n</mzXML>\n"
)
FORMAT = spectra(start=rb"<scan\s", plain=MZXML)
