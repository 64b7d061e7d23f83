"""Why a record of a spectrum file cannot be used: the whole list, in the words of the tally and of `--rejects`."""

NO_PRECURSOR = "no precursor"
PRECURSOR_NOT_A_NUMBER = "precursor not a number"  # nan and infinity too
PRECURSOR_NOT_POSITIVE = "precursor not positive"
SEVERAL_PRECURSORS = "several precursors"  # an MS2 scan of more than one isolated ion
CHARGE_NOT_A_NUMBER = "charge not a number"
UNKNOWN_ADDUCT = "unknown adduct"
UNKNOWN_POLARITY = "unknown polarity"  # an ion mode in words that are not understood
ISOTOPE_PEAK = "precursor an isotope peak"  # a feature that the file calls M+1, M+2, ...
WIDE_ISOLATION = "isolation window too wide"  # to tell a precursor: DIA
NO_MS2_PRECURSOR = "no MS2 precursor"  # of a spectrum of MS3 or deeper, where these are wanted
CONTRADICTORY_CHARGE = "contradictory charge"  # among charge, polarity and adduct
CONTRADICTORY_FIELDS = "contradictory fields"  # precursor, charge, adduct or polarity given twice, differently
NO_PEAKS = "no peaks"  # none in the file, or none with an intensity above zero
PEAK_NOT_A_NUMBER = "peak not a number"  # nan and infinity too
UNEQUAL_ARRAYS = "unequal m/z and intensity"
PEAK_COUNT_DIFFERS = "peak count differs"  # from what the record promises
MZ_NOT_POSITIVE = "m/z not positive"
NEGATIVE_INTENSITY = "negative intensity"
ARRAY_NOT_DECODED = "array not decoded"  # mzML, mzXML: base64, compression or number type
NOT_A_RECORD = "not a record"  # JSON: no object, or one of no layout that is known
DECOY_SPECTRUM = "decoy spectrum"  # mzSpecLib: of no molecule
DEPRECATED_RECORD = "deprecated record"  # MassBank: withdrawn by its authors
PROFILE_SPECTRUM = "profile spectrum"  # mzML, mzXML: not peaks but the points of their shapes
RECORD_NOT_ENDED = "record not ended"
RECORD_TOO_LONG = "record too long"  # for --max-record-size
TOO_MANY_PEAKS = "too many peaks"  # for --max-peaks
TOO_MANY_FIELDS = "too many fields"  # for --max-fields
NUL_BYTES = "NUL bytes"
TEXT_OUTSIDE_RECORDS = "text outside records"  # one for each run of such lines; its `record` is 0

ALL = tuple(value for name, value in sorted(globals().items()) if name.isupper())

# Counted as skipped, not as rejected: sound records that are no query.
SKIPPED_MS1 = "MS1"
SKIPPED_MS3 = "MS3 or deeper"
SKIPPED_NO_MASS_SPECTRUM = "not a mass spectrum"
