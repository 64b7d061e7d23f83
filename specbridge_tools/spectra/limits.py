"""What one record of a file of spectra may hold: beyond it the record is rejected, and reading goes on.

Without limits a small file, zipped or not, could fill the memory of whoever reads it. They are far above what any
instrument writes as peaks, and `Reading` has a field for each, which the options of the commands set.
"""

from __future__ import annotations

MAX_PEAKS = 1_000_000
MAX_FIELDS = 10_000
"""Lines of fields, and pairs of key and value in the comments of an MSP record."""
MAX_JOINED = 1 << 18
"""Characters of a field that comes again and again, where its values are joined one by one."""
MAX_RECORD_SIZE = 1 << 26
"""Bytes of text."""
XML_FACTOR = 4
"""An element of XML may be so many times larger: 64-bit numbers in base64, and those of an MS1 profile, are long."""
MAX_NODES = 2_000_000
"""Elements and attributes of one record of XML, each of which takes some hundred bytes in memory."""
MAX_GROUPED = 100_000
"""Parameters that an mzML file may hold in groups, for its spectra to refer to."""
